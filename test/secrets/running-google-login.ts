import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buffer } from 'node:stream/consumers';
import type { Tool } from './real-tools.ts';

const CLIENT = { client_id: 'the-client', client_secret: 'its-secret' };
const USER = 'ann@example.com';
const HERE = 'http://127.0.0.1/';

interface Emulator {
  readonly app: { fetch(request: Request): Promise<Response> };
  readonly store: object;
}

/** Vercel's emulator of Google's login (`@emulators/google`): it knows one client and one user. */
export class RunningGoogleLogin implements AsyncDisposable {
  readonly endpoint: string;
  readonly #server: Server;
  /** Headers of what was asked besides the login; the emulator does not have it, and says 404. */
  readonly asked: Record<string, string>[] = [];

  static async start(packages: Tool): Promise<RunningGoogleLogin> {
    const load = async (name: string): Promise<unknown> =>
      await import(pathToFileURL(join(packages.path, '@emulators', name, 'dist/index.js')).href);
    const { createServer: createEmulator } = (await load('core')) as {
      readonly createServer: (plugin: object, options: object) => Emulator;
    };
    const { googlePlugin, seedFromConfig } = (await load('google')) as {
      readonly googlePlugin: object;
      readonly seedFromConfig: (store: object, baseUrl: string, config: object) => void;
    };
    const { app, store } = createEmulator(googlePlugin, { baseUrl: HERE });
    seedFromConfig(store, HERE, {
      users: [{ email: USER }],
      oauth_clients: [{ ...CLIENT, redirect_uris: [HERE] }],
    });
    const asked: Record<string, string>[] = [];
    const server = createServer((request, response) => {
      void (async () => {
        const { method = 'GET', url = '/' } = request;
        const headers = request.headers as Record<string, string>;
        if (url.startsWith('/v1/')) asked.push(headers);
        const body = method === 'GET' ? null : await buffer(request);
        const answer = await app.fetch(new Request(new URL(url, HERE), { method, headers, body }));
        response.writeHead(answer.status, Object.fromEntries(answer.headers));
        response.end(Buffer.from(await answer.arrayBuffer()));
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new RunningGoogleLogin(server, asked);
  }

  private constructor(server: Server, asked: Record<string, string>[]) {
    this.#server = server;
    this.asked = asked;
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** The file that `gcloud auth application-default login` leaves, after a login. */
  async logIn(): Promise<Record<string, string>> {
    const scope = 'openid https://www.googleapis.com/auth/cloud-platform';
    const consent = { email: USER, client_id: CLIENT.client_id, redirect_uri: HERE, scope };
    const redirect = await this.#post('/o/oauth2/v2/auth/callback', consent);
    const code = new URL(redirect.headers.get('location') ?? '').searchParams.get('code') ?? '';
    const exchange = { ...CLIENT, grant_type: 'authorization_code', code, redirect_uri: HERE };
    const answer = await this.#post('/oauth2/token', exchange);
    const { refresh_token } = (await answer.json()) as { refresh_token: string };
    return { type: 'authorized_user', ...CLIENT, refresh_token, token_uri: `${this.endpoint}/oauth2/token` };
  }

  /** Whose token a header has; nobody's where the emulator did not make it. */
  async userOf(authorization: string): Promise<string | undefined> {
    const answer = await fetch(`${this.endpoint}/oauth2/v2/userinfo`, { headers: { authorization } });
    return ((await answer.json()) as { email?: string }).email;
  }

  async #post(path: string, fields: Record<string, string>): Promise<Response> {
    const body = new URLSearchParams(fields);
    return await fetch(`${this.endpoint}${path}`, { method: 'POST', body, redirect: 'manual' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
