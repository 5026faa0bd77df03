import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

interface Rules {
  /** `user:password` that it wants. */
  readonly login?: string;
  /** Status that every request gets. */
  readonly refusal?: number;
}

/**
 * A proxy of node:http for tests, not one that is used in earnest: whatever name it is asked for, it asks a server of
 * loopback, the one for `https` behind CONNECT.
 */
export class ConnectProxy {
  /** `GET http://a.test/x`, `CONNECT a.test:443`. */
  readonly asked: string[] = [];
  rules: Rules = {};
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  private constructor(ports: { readonly http: number; readonly https: number }) {
    this.#server = createServer((asking, answer) => this.#forward(asking, answer, ports.http));
    this.#server.on('connect', (asking, client) => this.#tunnel(asking, client, ports.https));
    this.#server.on('connection', (socket) => this.#sockets.add(socket));
  }

  static async start(ports: { readonly http: number; readonly https: number }): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(ports);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #refusalFor({ headers, method, url }: IncomingMessage): number | undefined {
    this.asked.push(`${method} ${url}`);
    const { login, refusal } = this.rules;
    const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
    return headers['proxy-authorization'] === wanted ? refusal : 407;
  }

  #forward(asking: IncomingMessage, answer: ServerResponse, port: number): void {
    const refusal = this.#refusalFor(asking);
    if (refusal !== undefined) return void answer.writeHead(refusal).end();
    const { pathname, search } = new URL(asking.url ?? '');
    const { 'proxy-authorization': _, ...headers } = asking.headers;
    const options = { host: '127.0.0.1', port, path: pathname + search, method: asking.method, headers };
    const onward = request({ ...options, agent: false }, (got) => {
      answer.writeHead(got.statusCode ?? 500, got.headers);
      got.pipe(answer);
    });
    asking.pipe(onward);
  }

  #tunnel(asking: IncomingMessage, client: Duplex, port: number): void {
    const refusal = this.#refusalFor(asking);
    if (refusal !== undefined) return void client.end(`HTTP/1.1 ${refusal} no\r\n\r\n`);
    const upstream: Socket = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client);
      client.pipe(upstream);
    });
    this.#sockets.add(upstream);
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  }
}
