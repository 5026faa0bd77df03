import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expandText } from '../../src/secrets/expand.ts';
import { createResolver } from '../../src/secrets/resolver.ts';
import { consulServer } from './real-tools.ts';
import { RunningConsul } from './running-consul.ts';

const tool = consulServer();

describe.skipIf(tool.missing)(`Consul 1.12.9${tool.missing ? ` (skipped: ${tool.missing})` : ''}`, () => {
  let server: RunningConsul;
  let env: Record<string, string>;

  beforeAll(async () => {
    server = await RunningConsul.start(tool);
    env = { CONSUL_HTTP_ADDR: server.address, CONSUL_HTTP_TOKEN: server.token };
    await server.put('kv/app/a%20b', 'pw: {x: hunter2}');
    await server.put('kv/app/empty');
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
