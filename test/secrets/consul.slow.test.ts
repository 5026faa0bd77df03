import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expandText } from '../../src/secrets/expand.ts';
import { createResolver } from '../../src/secrets/resolver.ts';
import { consulServer, freePort, type Server, startServer } from './real-tools.ts';

const tool = consulServer();
const TOKEN = '11111111-2222-3333-4444-555555555555';

describe.skipIf(tool.missing)(`Consul 1.12.9${tool.missing ? ` (skipped: ${tool.missing})` : ''}`, () => {
  let server: Server;
  let env: Record<string, string>;

  beforeAll(async () => {
    const [http, serf, rpc] = await Promise.all([freePort(), freePort(), freePort()]);
    const address = `127.0.0.1:${http}`;
    const ports = { http, serf_lan: serf, serf_wan: -1, server: rpc, dns: -1, grpc: -1 };
    const acl = {
      enabled: true,
      default_policy: 'deny',
      tokens: { initial_management: TOKEN, master: TOKEN },
    };
    const args = ['agent', '-dev', '-bind', '127.0.0.1', '-hcl', JSON.stringify({ ports, acl })];
    env = { CONSUL_HTTP_ADDR: address, CONSUL_HTTP_TOKEN: TOKEN };
    const put = (key: string, body: string): Promise<Response> =>
      fetch(`http://${address}/v1/kv/${key}`, { method: 'PUT', body, headers: { 'x-consul-token': TOKEN } });
    server = await startServer(tool.path, args, async () => (await put('app/a%20b', 'pw: {x: hunter2}')).ok);
    await put('app/empty', '');
  }, 90_000);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  async function resolve(text: string, extra: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const resolver = createResolver({ env: { ...env, ...extra }, patience: { attempts: 2 } });
    return await expandText(text, { lookup: (reference) => resolver.lookup(reference) });
  }

  test('values, keys in them, what is missing, and who may not', async () => {
    expect(await resolve('ref+consul://app/a%20b#/pw/x')).toBe('hunter2');
    expect(await resolve('ref+consul://app/a%20b')).toBe('pw: {x: hunter2}');
    expect(await resolve('ref+consul://app/none?default=d')).toBe('d');
    await expect(resolve('ref+consul://app/empty')).rejects.toMatchObject({ code: 'secrets/not-found' });
    const wrong = { CONSUL_HTTP_TOKEN: '00000000-0000-0000-0000-000000000000' };
    await expect(resolve('ref+consul://app/a%20b', wrong)).rejects.toMatchObject({ code: 'secrets/denied' });
  });
});
