import type * as http from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { IngotError } from '../../core/error.ts';
import { bareHost, type Proxy } from './proxy-rules.ts';

/** A proxy that says nothing for so long is taken for dead. */
const PATIENCE_MS = 30_000;
/** What a proxy answers while it cannot reach the server, which may pass. */
const TROUBLE = new Set([502, 503, 504]);

export interface TunnelEnd {
  readonly host: string;
  readonly port: number;
  /** Of the server at the end; the proxy's own certificate is checked by the system's. */
  readonly tls?: ConnectionOptions;
}

/**
 * A connection with TLS to a server, through a proxy (RFC 9110, 9.3.6, CONNECT). Throws `store/proxy-refused`; a proxy or a
 * server that cannot be reached is an error of the network, with its code.
 */
export async function openTunnel(proxy: Proxy, end: TunnelEnd): Promise<Socket> {
  const socket = await connectThrough(proxy, end);
  const { connect: secure } = await import('node:tls');
  const host = bareHost(end.host);
  return await new Promise((resolve, reject) => {
    const named = isIP(host) === 0 && { servername: host };
    const server = secure({ ...named, ...end.tls, host, socket, ALPNProtocols: ['http/1.1'] });
    server.setTimeout(PATIENCE_MS, () => server.destroy(late(proxy)));
    server.once('error', reject);
    server.once('secureConnect', () => {
      server.setTimeout(0);
      server.removeAllListeners('timeout');
      server.off('error', reject);
      resolve(server);
    });
  });
}

/** The connection alone, as it is. */
export async function connectThrough(
  proxy: Proxy,
  { host, port }: Pick<TunnelEnd, 'host' | 'port'>,
): Promise<Socket> {
  const { request: ask } = await clientOf(proxy.url);
  const name = bareHost(host);
  const authority = `${name.includes(':') ? `[${name}]` : name}:${port}`;
  return await new Promise((resolve, reject) => {
    const request = ask({
      ...placeOf(proxy),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...loginOf(proxy) },
      agent: false,
      timeout: PATIENCE_MS,
    });
    request.once('timeout', () => request.destroy(late(proxy)));
    request.once('error', (error) => reject(throughProxy(error, proxy)));
    request.once('connect', (response, socket) => {
      socket.setTimeout(0);
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) return resolve(socket as Socket);
      socket.destroy();
      const refusal = refused(proxy, status, authority);
      reject(
        TROUBLE.has(status) ? Object.assign(new Error(refusal.message), { code: 'EHOSTUNREACH' }) : refusal,
      );
    });
    request.end();
  });
}

/** How node:http is told of a proxy. */
export function placeOf({ url }: Proxy): { host: string; port: number } {
  return { host: bareHost(url.hostname), port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80) };
}

/** Loaded when it is needed: the boot agent starts before each service, and often asks nobody. */
export async function clientOf({ protocol }: URL): Promise<Pick<typeof http, 'request' | 'Agent'>> {
  return protocol === 'https:' ? await import('node:https') : await import('node:http');
}

export function loginOf({ authorization }: Proxy): Record<string, string> {
  return authorization === undefined ? {} : { 'proxy-authorization': authorization };
}

/** A proxy's word against us. */
export function refused(proxy: Proxy, status: number, target: string): IngotError {
  const what = `the proxy ${proxy.url.origin} answered ${status} to a request for ${target}`;
  return new IngotError('store/proxy-refused', what, {
    hint:
      status === 407
        ? 'It wants a login: http://USER:PASSWORD@HOST:PORT in http_proxy and https_proxy, percent-encoded.'
        : 'Is the server allowed there? Servers to be reached without the proxy belong into no_proxy.',
  });
}

/** The same error, saying that it was the way to the proxy. */
export function throughProxy(error: Error, { url }: Proxy): Error {
  if (error instanceof IngotError) return error;
  // Node tells it once for each address that it tried.
  const each = error instanceof AggregateError ? (error.errors as Error[]) : [error];
  error.message = `the proxy ${url.origin} could not be asked: ${each.map((e) => e.message).join('; ')}`;
  return error;
}

function late({ url }: Proxy): Error {
  return Object.assign(new Error(`no answer through ${url.origin} within ${PATIENCE_MS / 1000} s`), {
    code: 'ETIMEDOUT',
  });
}
