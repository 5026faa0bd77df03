import type { Socket } from 'node:net';
import { IngotError } from '../../core/error.ts';
import { type Proxy, proxyFor } from './proxy-rules.ts';
import { loginOf, openTunnel, refused, throughProxy } from './tunnel.ts';

/** What fetch() hands each request to, redirects included: the part of undici's Dispatcher that it uses. */
interface Dispatcher {
  dispatch(options: DispatchOptions, handler: object): boolean;
}

interface DispatchOptions {
  readonly origin: string | URL;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Connection {
  readonly hostname: string;
  readonly port: string;
  readonly servername?: string;
}

type AgentClass = new (options: {
  connect(connection: Connection, done: (error: Error | null, socket?: Socket) => void): void;
}) => Dispatcher;

/** Where Node keeps the dispatcher of fetch() (undici, "Global dispatcher"). */
const GLOBAL = Symbol.for('undici.globalDispatcher.1');

/** What `fetch` of ours is where proxies are set. */
export async function fetchThrough(url: URL, init: RequestInit): Promise<Response> {
  const first = proxyFor(url, process.env);
  const dispatcher = (proxies ??= openProxies());
  try {
    return await globalThis.fetch(url, { ...init, ...(dispatcher && { dispatcher }) } as RequestInit);
  } catch (error) {
    const { cause } = error as Error;
    if (cause instanceof IngotError) throw cause;
    if (first && url.protocol === 'http:' && cause instanceof Error) {
      // An answer with this status is none to fetch() (Fetch standard, 4.6), which says little or nothing of it.
      if (/^$|proxy authentication/.test(cause.message)) throw refused(first, 407, url.host);
      throughProxy(cause, first);
    }
    throw error;
  }
}

let proxies: Dispatcher | undefined;

/** Nothing where this process has a dispatcher of its own choice, as with Node's NODE_USE_ENV_PROXY. */
function openProxies(): Dispatcher | undefined {
  // Node loads undici with the first of its classes that is used.
  const loaded = Boolean(globalThis.Response) && (globalThis as Record<symbol, unknown>)[GLOBAL];
  const direct = loaded as Dispatcher & { readonly constructor: AgentClass };
  if (direct.constructor.name !== 'Agent') return undefined;
  const tunnels = new Map<string, Dispatcher>();
  const tunnelsOf = (proxy: Proxy): Dispatcher => {
    const key = `${proxy.url.href} ${proxy.authorization}`;
    const known = tunnels.get(key) ?? new direct.constructor({ connect: connector(proxy) });
    tunnels.set(key, known);
    return known;
  };
  return {
    dispatch(options, handler) {
      const target = new URL(options.path, options.origin);
      const proxy = proxyFor(target, process.env);
      if (!proxy) return direct.dispatch(options, handler);
      if (target.protocol === 'https:') return tunnelsOf(proxy).dispatch(options, handler);
      // Without TLS the proxy itself is asked, for the whole address (RFC 9112, 3.2.2).
      const headers = { ...options.headers, host: target.host, ...loginOf(proxy) };
      return direct.dispatch({ ...options, origin: proxy.url.origin, path: target.href, headers }, handler);
    },
  };
}

const connector =
  (proxy: Proxy): ConstructorParameters<AgentClass>[0]['connect'] =>
  ({ hostname, port, servername }, done) => {
    const end = { host: hostname, port: Number(port) || 443, tls: servername ? { servername } : {} };
    openTunnel(proxy, end).then(
      (socket) => done(null, socket),
      (error: Error) => done(error),
    );
  };
