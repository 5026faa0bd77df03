import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { output } from './real-tools.ts';

/** What was asked of a service. */
export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export type Answers = (asked: Asked) => [status: number, json: unknown, headers?: Record<string, string>];

/**
 * Stands in for services that no emulator is at hand for: itself at `host`, and as a proxy for every other host, whose
 * certificate it makes. What it answers is what the test says.
 */
export class ServicesStandIn implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly host: string;
  readonly #servers: readonly Server[];
  readonly #sockets = new Set<Socket>();
  /** Trust it, and ask it for all hosts but this machine. */
  readonly env: Readonly<Record<string, string>>;

  static async start(folder: string, hosts: readonly string[], answers: Answers): Promise<ServicesStandIn> {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const names = hosts.map((host) => `DNS:${host}`).join(',');
    const subject = ['-subj', '/CN=stand-in', '-addext', `subjectAltName=${names}`];
    const files = ['-keyout', key, '-out', cert];
    output('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject], {
      quiet: true,
    });
    const asked: Asked[] = [];
    const listener = (scheme: string): RequestListener => {
      return (request, response) => {
        void read(scheme, request).then((one) => {
          asked.push(one);
          const [status, json, headers] = answers(one);
          response.writeHead(status, { 'content-type': 'application/json', ...headers });
          response.end(JSON.stringify(json));
        });
      };
    };
    const plain = createServer(listener('http'));
    const secure = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, listener('https'));
    for (const server of [plain, secure])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ServicesStandIn({ plain, secure }, asked, cert);
  }

  private constructor(
    { plain, secure }: { readonly plain: Server; readonly secure: Server },
    asked: Asked[],
    cert: string,
  ) {
    this.#servers = [plain, secure];
    this.host = `127.0.0.1:${(plain.address() as AddressInfo).port}`;
    this.asked = asked;
    this.env = {
      HTTP_PROXY: `http://${this.host}`,
      http_proxy: `http://${this.host}`,
      HTTPS_PROXY: `http://${this.host}`,
      SSL_CERT_FILE: cert,
      NODE_EXTRA_CA_CERTS: cert,
    };
    plain.on('connect', (_request: IncomingMessage, socket: Socket) => {
      const onward = connect((secure.address() as AddressInfo).port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      for (const end of [socket, onward]) {
        this.#sockets.add(end);
        end.on('error', () => end.destroy());
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
}

async function read(scheme: string, request: IncomingMessage): Promise<Asked> {
  const { method = 'GET', url = '/', headers } = request;
  return {
    method,
    // A proxy is asked for whole addresses.
    url: new URL(url, `${scheme}://${headers.host}`),
    headers: headers as Record<string, string | undefined>,
    body: await text(request),
  };
}
