import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterOf } from '../../src/secrets/kubernetes/cluster.ts';
import type { Request, Surroundings } from '../../src/secrets/provider.ts';
import { createResolver } from '../../src/secrets/resolver.ts';
import { expandText } from '../../src/secrets/expand.ts';

// What a kubeconfig says, without a server; k8s.slow.test.ts asks a real one.

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-kubeconfig-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a kubeconfig, and answers its path. */
function kubeconfig(user: object | null, cluster: object = {}, more: object = {}): string {
  const path = join(folder, 'config');
  const config = {
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'it', user: 'me' } }],
    clusters: [{ name: 'it', cluster: { server: 'https://k:6443/prefix', ...cluster } }],
    users: [{ name: 'me', user }],
    ...more,
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

function read(path: string): ReturnType<typeof clusterOf> {
  const around = {
    env: { KUBECONFIG: path },
    hide: () => {},
    once: <T>(_: readonly unknown[], make: () => Promise<T>): Promise<T> => make(),
  } as Partial<Surroundings> as Surroundings;
  const request = {
    params: new Map<string, string>(),
    param: () => undefined,
  } as Partial<Request> as Request;
  return clusterOf(request, around);
}

describe('a kubeconfig', () => {
  const authorization = 'Bearer t';
  test.each<[string, object | null, object, object]>([
    ['a token', { token: 't\n' }, {}, { headers: { authorization } }],
    ['nobody in particular', null, {}, { headers: {} }],
    ['empty fields', { token: '', tokenFile: '', 'client-certificate-data': '' }, {}, { headers: {} }],
    [
      'a user and a password',
      { username: 'ann', password: 'p:w' },
      {},
      { headers: { authorization: `Basic ${Buffer.from('ann:p:w').toString('base64')}` } },
    ],
    [
      'a server in the clear, which is told no token',
      { token: 't', as: 'ann' },
      { server: 'http://k' },
      { headers: { 'impersonate-user': 'ann' } },
    ],
    [
      'another user, with all that is said of it',
      {
        token: 't',
        as: 'ann',
        'as-uid': 'u1',
        'as-groups': ['a', 'b'],
        'as-user-extra': { 'x.org/Ä%': ['1'] },
      },
      {},
      {
        headers: {
          authorization,
          'impersonate-user': 'ann',
          'impersonate-uid': 'u1',
          'impersonate-group': ['a', 'b'],
          'impersonate-extra-x.org%2F%C3%84%25': ['1'],
        },
      },
    ],
  ])('%s', async (_, user, cluster, expected) => {
    expect(await read(kubeconfig(user, cluster))).toMatchObject(expected);
    const { headers } = await read(kubeconfig(user, cluster));
    expect(headers).toEqual((expected as { headers: object }).headers);
  });

  test.each<[string, object, object, object, RegExp]>([
    ['a proxy', {}, { 'proxy-url': 'http://p' }, {}, /a proxy-url, which is not supported/],
    ['an old plugin', { 'auth-provider': { name: 'oidc' } }, {}, {}, /an auth-provider, which is not/],
    ['no server', {}, { server: '' }, {}, /no server of the cluster it/],
    ['an address that is none', {}, { server: 'https://:x' }, {}, /which is no address/],
    ['no context', {}, {}, { 'current-context': '' }, /no current-context/],
    [
      'a user that is not there',
      { token: 't' },
      {},
      { users: [] },
      /no user "me", as the context here has it/,
    ],
    ['a plugin without command', { exec: {} }, {}, {}, /exec has no command/],
  ])('%s is refused', async (_, user, cluster, more, message) => {
    await expect(read(kubeconfig(user, cluster, more))).rejects.toMatchObject({
      code: 'secrets/not-configured',
      message: expect.stringMatching(message) as string,
    });
  });

  test('in a build no plugin runs', async () => {
    const path = kubeconfig({ exec: { command: 'plugin', apiVersion: 'client.authentication.k8s.io/v1' } });
    const resolver = createResolver({ env: { KUBECONFIG: path } });
    const lookup = resolver.lookup.bind(resolver);
    await expect(expandText('ref+k8s://v1/Secret/a/b/c', { lookup })).rejects.toMatchObject({
      code: 'secrets/denied',
      message: expect.stringMatching(/^the command plugin would run/) as string,
    });
  });
});
