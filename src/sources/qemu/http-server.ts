import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** Files for a machine that boots; dispose closes it. */
export interface FileServer extends AsyncDisposable {
  readonly port: number;
}

/**
 * Serves a folder, or texts by path, on the loopback address: machines with a network of their own see that as
 * 10.0.2.2. Links that lead out of the folder are not followed.
 */
export async function serveFiles(files: {
  readonly directory?: string;
  readonly content?: Readonly<Record<string, string>>;
}): Promise<FileServer> {
  const root = files.directory === undefined ? undefined : await realpath(files.directory);
  const server = createServer((request, response) => {
    const path = pathOf(request.url ?? '/');
    const text = path === undefined ? undefined : ownValue(files.content, path);
    if (text !== undefined) {
      response.end(text);
      return;
    }
    if (path === undefined || root === undefined) refuse(response);
    else void sendFile(root, path, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function sendFile(root: string, path: string, response: ServerResponse): Promise<void> {
  const file = await realpath(join(root, path)).catch(() => undefined);
  const inside = file !== undefined && file.startsWith(`${root}/`);
  const info = inside ? await stat(file) : undefined;
  if (!info?.isFile()) {
    refuse(response);
    return;
  }
  response.setHeader('content-length', info.size);
  createReadStream(file as string)
    .on('error', () => response.destroy())
    .pipe(response);
}

function refuse(response: ServerResponse): void {
  response.statusCode = 404;
  response.end('not found\n');
}

/** The path of a request, without what could lead out; undefined where it is none. */
function pathOf(url: string): string | undefined {
  try {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    return path.split('/').includes('..') || path.includes('\0') ? undefined : path;
  } catch {
    return undefined;
  }
}

function ownValue(map: Readonly<Record<string, string>> | undefined, path: string): string | undefined {
  if (!map) return undefined;
  for (const key of [path, path.slice(1)]) if (Object.hasOwn(map, key)) return map[key];
  return undefined;
}
