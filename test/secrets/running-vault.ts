import { vi } from 'vitest';
import { freePort } from '../../scripts/free-port.mjs';
import { type Server, startServer, type Tool } from './real-tools.ts';

const UNSEAL_KEY = /Unseal Key: (\S+)\n/;

/** Vault or OpenBao, in memory and unsealed, that a test speaks to as root. */
export class RunningVault implements AsyncDisposable {
  readonly #server: Server;
  readonly address: string;
  readonly token: string;
  /** What unseals it, where it tells that. */
  readonly key: string | undefined;

  static async startVault(tool: Tool): Promise<RunningVault> {
    const server = await startServer(tool.path, [], (text) => text.endsWith('\n'));
    const [address = '', token = ''] = server.output().trim().split(' ');
    return new RunningVault(server, address, token);
  }

  /** Its development mode, with version 2 of the key-value engine at `secret`. */
  static async startOpenBao(tool: Tool): Promise<RunningVault> {
    const listen = `127.0.0.1:${await freePort()}`;
    const args = ['server', '-dev', '-dev-no-store-token', '-dev-root-token-id=root'];
    const address = `http://${listen}`;
    // It tells its key only after it answers.
    const isReady = async (text: string): Promise<boolean> =>
      UNSEAL_KEY.test(text) && (await fetch(`${address}/v1/sys/health`)).status === 200;
    const server = await startServer(tool.path, [...args, `-dev-listen-address=${listen}`], isReady);
    return new RunningVault(server, address, 'root', UNSEAL_KEY.exec(server.output())?.[1]);
  }

  private constructor(server: Server, address: string, token: string, key?: string) {
    this.#server = server;
    this.address = address;
    this.token = token;
    this.key = key;
  }

  call(path: string, body?: object, method = 'POST'): Promise<Response> {
    return fetch(`${this.address}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': this.token },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  /** The `data` of its answer, or all of it where it has none. Throws when it refuses. */
  async api<T = Record<string, unknown>>(path: string, body?: object, method?: string): Promise<T> {
    const answer = await this.call(path, body, method);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${text}`);
    const { data, ...rest } = (text === '' ? {} : JSON.parse(text)) as { data?: T };
    return data ?? (rest as T);
  }

  /** Mounts a key-value engine where there is none yet. */
  async mount(path: string, version: '1' | '2'): Promise<void> {
    const isThere = async (): Promise<boolean> => (await this.call(`${path}/config`, undefined, 'GET')).ok;
    if (await isThere()) return;
    await this.api(`sys/mounts/${path}`, { type: 'kv', options: { version } });
    // Version 2 engines need a moment to upgrade their storage.
    if (version === '2') await vi.waitUntil(isThere);
  }

  /** A token that may do what the policies say. */
  async tokenFor(policies: string[], ttl = '1h'): Promise<string> {
    const answer = await this.call('auth/token/create', { policies, ttl, renewable: false });
    return ((await answer.json()) as { auth: { client_token: string } }).auth.client_token;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
