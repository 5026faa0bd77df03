import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { type Context, note } from '../../core/context.ts';
import { asIngotError } from '../../core/error.ts';
import { fetch } from '../../store/http/fetch.ts';
import { proxyFor } from '../../store/http/proxy-rules.ts';
import { connectThrough } from '../../store/http/tunnel.ts';
import type { LockedArchive } from './locked-archive.ts';

/** A running proxy; dispose closes it and every connection. */
export interface ArchiveProxy extends AsyncDisposable {
  readonly port: number;
}

/**
 * An HTTP proxy on 127.0.0.1 that shows apt the locked state of the archives, and nothing newer. Requests for
 * anything else pass through, and the step is told once per host that it is not pinned.
 */
export async function startArchiveProxy(
  archive: LockedArchive,
  ctx: Pick<Context, 'emit' | 'step' | 'signal'>,
): Promise<ArchiveProxy> {
  const told = new Set<string>();
  const unpinned = (host: string) => {
    if (told.has(host)) return;
    told.add(host);
    note(ctx, `apt fetches from ${host}, which is not locked: this step is unpinned`);
  };
  const sockets = new Set<Duplex>();
  const server = createServer((request, response) => {
    answer(request, response, archive, unpinned, ctx).catch((error: unknown) => {
      if (hungUp(error)) return;
      const failure = asIngotError(error);
      note(ctx, `${failure.message}${failure.hint === undefined ? '' : ` ${failure.hint}`}`);
      if (response.headersSent) response.destroy();
      else response.writeHead(502, 'ingot: see the build log').end();
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('connect', (request, client) => tunnel(request, client, unpinned, sockets, ctx));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/**
 * Whether the asking side closed the connection, as it may once it has read what it wanted. It knows better than we
 * whether that was all; a broken read of ours ends with another error.
 */
const hungUp = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';

/** apt.conf(5) that leads apt through the proxy. Its own signature check stays on. */
export function proxyConfig(port: number): string {
  return [
    `Acquire::http::Proxy "http://127.0.0.1:${port}";`,
    // Judged when the lock moved; the locked state is old on purpose.
    'Acquire::Check-Valid-Until "false";',
    'Acquire::PDiffs "false";',
    'Acquire::Languages "none";',
    // The proxy has tried several times already.
    'Acquire::Retries "0";',
    '',
  ].join('\n');
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  archive: LockedArchive,
  unpinned: (host: string) => void,
  ctx: Pick<Context, 'signal'>,
): Promise<void> {
  if ((request.method !== 'GET' && request.method !== 'HEAD') || !URL.canParse(request.url ?? '')) {
    response.writeHead(405, 'a proxy for GET and HEAD').end();
    return;
  }
  const url = new URL(request.url ?? '');
  const located = await archive.locate(url.pathname);
  if (located.kind === 'absent') {
    response.writeHead(404, 'not in the locked state of the archive').end();
  } else if (located.kind === 'file') {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': located.size });
    if (request.method === 'HEAD') response.end();
    else await pipeline(createReadStream(located.path), response);
  } else {
    unpinned(url.host);
    const upstream = await fetch(url, {
      method: request.method,
      headers: { 'accept-encoding': 'identity', 'user-agent': request.headers['user-agent'] ?? 'ingot' },
      signal: ctx.signal,
    });
    const length = upstream.headers.get('content-length');
    response.writeHead(upstream.status, { ...(length !== null && { 'content-length': length }) });
    if (upstream.body) await pipeline(Readable.fromWeb(upstream.body as never), response);
    else response.end();
  }
}

/** Connections through (https): what is fetched there cannot be seen, so not pinned either. */
function tunnel(
  request: IncomingMessage,
  client: Duplex,
  unpinned: (host: string) => void,
  sockets: Set<Duplex>,
  ctx: Pick<Context, 'emit' | 'step'>,
): void {
  const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(request.url ?? '');
  if (!match?.[1] || !match[2]) {
    client.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    return;
  }
  const [, host, port] = match;
  unpinned(host);
  const join = (upstream: Socket): void => {
    sockets.add(upstream);
    upstream.on('close', () => sockets.delete(upstream));
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
    if (client.destroyed) return void upstream.destroy();
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    upstream.pipe(client);
    client.pipe(upstream);
  };
  open(host, Number(port)).then(join, (error: Error) => {
    note(ctx, error.message);
    client.end('HTTP/1.1 502 ingot: see the build log\r\n\r\n');
  });
}

/** A connection to a server, by way of the host's own proxy where it has one. */
async function open(host: string, port: number): Promise<Socket> {
  const name = host.includes(':') ? `[${host}]` : host;
  const proxy = proxyFor(new URL(`https://${name}:${port}`), process.env);
  if (proxy) return await connectThrough(proxy, { host, port });
  return await new Promise((resolve, reject) => {
    const socket = connect(port, host, () => resolve(socket.off('error', reject)));
    socket.once('error', reject);
  });
}
