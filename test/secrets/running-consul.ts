import { freePort } from '../../scripts/free-port.mjs';
import { type Server, startServer, type Tool } from './real-tools.ts';

/** Consul in memory, which refuses whoever has no token. */
export class RunningConsul implements AsyncDisposable {
  /** Host and port. */
  readonly address: string;
  /** May do everything. */
  readonly token = '11111111-2222-3333-4444-555555555555';
  #server: Server | undefined;

  private constructor(address: string) {
    this.address = address;
  }

  static async start(tool: Tool): Promise<RunningConsul> {
    const [http, serf, rpc] = await Promise.all([freePort(), freePort(), freePort()]);
    const consul = new RunningConsul(`127.0.0.1:${http}`);
    const { token } = consul;
    const ports = { http, serf_lan: serf, serf_wan: -1, server: rpc, dns: -1, grpc: -1 };
    const tokens = { initial_management: token, master: token };
    const config = JSON.stringify({ ports, acl: { enabled: true, default_policy: 'deny', tokens } });
    const args = ['agent', '-dev', '-bind', '127.0.0.1', '-hcl', config];
    consul.#server = await startServer(tool.path, args, async () => (await consul.put('kv/is-up', '1')).ok);
    return consul;
  }

  put(path: string, body = ''): Promise<Response> {
    return this.#call(path, { method: 'PUT', body });
  }

  async get<T>(path: string): Promise<T> {
    return (await (await this.#call(path)).json()) as T;
  }

  #call(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://${this.address}/v1/${path}`, { ...init, headers: { 'x-consul-token': this.token } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}
