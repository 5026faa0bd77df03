import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { IngotError } from '../../core/error.ts';

/** Files for a machine that boots; dispose closes it. */
export interface FileServer extends AsyncDisposable {
  readonly port: number;
}

/** Where to listen; default: any free port of the loopback address. */
export interface Listening {
  readonly address?: string;
  readonly portMin?: number;
  readonly portMax?: number;
}

/** Packer's own range, of which the template may give one end. */
const PORTS = { min: 8000, max: 9000 };

/**
 * Serves a folder, or texts by path, on the loopback address: machines with a network of their own see that as
 * 10.0.2.2. Links that lead out of the folder are not followed. Throws `qemu/no-port`.
 */
export async function serveFiles(
  files: {
    readonly directory?: string;
    readonly content?: Readonly<Record<string, string>>;
  },
  where: Listening = {},
): Promise<FileServer> {
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
  await listen(server, where);
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function listen(server: Server, { address = '127.0.0.1', portMin, portMax }: Listening): Promise<void> {
  const isFree = portMin === undefined && portMax === undefined;
  const first = isFree ? 0 : (portMin ?? Math.min(PORTS.min, portMax as number));
  const last = isFree ? 0 : (portMax ?? Math.max(PORTS.max, first));
  for (let port = first; ; port++) {
    try {
      server.listen(port, address);
      await once(server, 'listening');
      return;
    } catch (cause) {
      if (port < last) continue;
      const ports = isFree ? 'a port' : first === last ? `port ${first}` : `a port from ${first} to ${last}`;
      throw new IngotError('qemu/no-port', `files cannot be served on ${ports} of ${address}`, {
        hint: 'Leave http_port_min, http_port_max and http_bind_address out: any free port will do.',
        cause,
      });
    }
  }
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
