import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expandText } from '../../src/secrets/expand.ts';
import { createResolver } from '../../src/secrets/resolver.ts';
import { goTool, kubernetesServer, openBao, output, type Tool, vaultServer } from './real-tools.ts';
import { RunningKubernetes } from './running-kubernetes.ts';
import { RunningVault } from './running-vault.ts';
import { selfSigned, tlsProxy } from './tls-proxy.ts';

describe.each([
  { name: 'Vault 1.14.1', tool: vaultServer(), start: (own: Tool) => RunningVault.startVault(own) },
  { name: 'OpenBao 2.4.0', tool: openBao(), start: (own: Tool) => RunningVault.startOpenBao(own) },
])('$name', ({ tool, start }) => {
  describe.skipIf(tool.missing)(tool.missing ? `skipped: ${tool.missing}` : 'answers', () =>
    servesReferences(() => start(tool)),
  );
});

function servesReferences(start: () => Promise<RunningVault>): void {
  let vault: RunningVault;
  let address: string;
  let token: string;
  let certificate: { readonly key: string; readonly cert: string };
  let folder: string;
  let env: Record<string, string>;
  let role: { role_id: string; secret_id: string };
  const api: RunningVault['api'] = (...args) => vault.api(...args);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ingot-vault-'));
    vault = await start();
    ({ address, token } = vault);
    env = { HOME: folder, VAULT_ADDR: address, VAULT_TOKEN: token };
    certificate = selfSigned(folder);
    await vault.mount('secret', '2');
    await vault.mount('team/old', '1');
    await api('secret/data/db', { data: { pw: 'before' } });
    await api('secret/data/db', { data: { pw: 'hunter2', n: 5, deep: { a: [1, 'x'] }, b: 'aGk=' } });
    await api('secret/data/gone', { data: { pw: 'x' } });
    await vault.call('secret/data/gone', undefined, 'DELETE');
    await api('secret/data/a%20b/%C3%A9', { data: { k: 'odd path' } });
    await api('team/old/db', { pw: 'old' });
    await api('sys/policies/acl/reader', {
      policy: 'path "secret/*" { capabilities = ["read"] }\npath "team/*" { capabilities = ["read"] }',
    });
    await api('sys/auth/approle', { type: 'approle' });
    await api('sys/auth/people', { type: 'userpass' });
    await api('auth/approle/role/app', { token_policies: 'reader' });
    await api('auth/people/users/ann', { password: 'pass word', token_policies: 'reader' });
    const { role_id } = await api<{ role_id: string }>('auth/approle/role/app/role-id', undefined, 'GET');
    const { secret_id } = await api<{ secret_id: string }>('auth/approle/role/app/secret-id', {});
    role = { role_id, secret_id };
  }, 120_000);
  afterAll(async () => {
    await vault?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  async function resolve(
    text: string,
    extra: Readonly<Record<string, string | undefined>> = {},
  ): Promise<unknown> {
    const patience = { attempts: 2, deadlineMs: 5000 };
    const resolver = createResolver({ env: { ...env, ...extra }, patience });
    return await expandText(text, { lookup: (reference) => resolver.lookup(reference) });
  }

  test.each([
    ['ref+vault://secret/db#/pw', 'hunter2'],
    ['ref+vault://secret/db#/n', 5],
    ['ref+vault://secret/db#/deep', { a: [1, 'x'] }],
    ['ref+vault://secret/db#/deep/a/1', 'x'],
    ['ref+vault://secret/db/pw', 'hunter2'],
    ['ref+vault://secret/db/b?decode=base64', 'hi'],
    ['ref+vault://secret/data/db#/pw', 'hunter2'],
    ['ref+vault://secret/db?version=1#/pw', 'before'],
    ['ref+vault://secret/a%20b/%C3%A9#/k', 'odd path'],
    ['ref+vault://team/old/db#/pw', 'old'],
    ['ref+vault://secret/none?default=d#/pw', 'd'],
    ['ref+vault://secret/gone?default=d#/pw', 'd'],
  ])('%s', async (reference, expected) => expect(await resolve(reference)).toEqual(expected));

  test('by the names of OpenBao', async () => {
    const bao = { VAULT_ADDR: undefined, VAULT_TOKEN: undefined, BAO_ADDR: address, BAO_TOKEN: token };
    expect(await resolve('ref+openbao://secret/db#/pw', bao)).toBe('hunter2');
  });

  test('a namespace, where the server has them', async (context) => {
    const made = await vault.call('sys/namespaces/division');
    if (made.status === 404) return context.skip('this server has none');
    expect(made.status).toBe(200);
    const within = { method: 'POST', headers: { 'x-vault-token': token, 'x-vault-namespace': 'division' } };
    const mount = JSON.stringify({ type: 'kv', options: { version: '1' } });
    await fetch(`${address}/v1/sys/mounts/own`, { ...within, body: mount });
    await fetch(`${address}/v1/own/db`, { ...within, body: JSON.stringify({ pw: 'of the division' }) });
    expect(await resolve('ref+vault://own/db?namespace=division#/pw')).toBe('of the division');
    expect(await resolve('ref+vault://own/db#/pw', { VAULT_NAMESPACE: 'division' })).toBe('of the division');
    const bao = { VAULT_ADDR: undefined, VAULT_TOKEN: undefined, BAO_ADDR: address, BAO_TOKEN: token };
    expect(await resolve('ref+openbao://own/db#/pw', { ...bao, BAO_NAMESPACE: 'division' })).toBe(
      'of the division',
    );
    await expect(resolve('ref+vault://own/db#/pw')).rejects.toMatchObject({
      code: expect.stringMatching(/^secrets/) as string,
    });
  });

  test('tokens from files and other variables, AppRole, userpass', async () => {
    const none = { VAULT_TOKEN: undefined };
    writeFileSync(join(folder, '.vault-token'), `${token}\n`);
    expect(await resolve('ref+vault://secret/db#/pw', none)).toBe('hunter2');
    rmSync(join(folder, '.vault-token'));
    expect(await resolve('ref+vault://secret/db?token_env=OTHER#/pw', { ...none, OTHER: token })).toBe(
      'hunter2',
    );
    writeFileSync(join(folder, 'mine'), token);
    expect(await resolve('ref+vault://secret/db?token_file=~/mine#/pw', none)).toBe('hunter2');
    const { role_id, secret_id } = role;
    const approle = {
      ...none,
      VAULT_AUTH_METHOD: 'approle',
      VAULT_ROLE_ID: role_id,
      VAULT_SECRET_ID: secret_id,
    };
    expect(await resolve('ref+vault://secret/db#/pw ref+vault://team/old/db#/pw', approle)).toBe(
      'hunter2 old',
    );
    const people = { ...none, VAULT_LOGIN_MOUNT_POINT: 'people', PW: 'pass word' };
    const reference = 'ref+vault://secret/db?auth_method=userpass&username=ann&password_env=PW#/pw';
    expect(await resolve(reference, people)).toBe('hunter2');
    await expect(resolve(reference, { ...people, PW: 'wrong' })).rejects.toMatchObject({
      code: 'secrets/denied',
    });
  });

  test('an expired token, a forbidden path', async () => {
    await expect(resolve('ref+vault://secret/db#/pw', { VAULT_TOKEN: 'expired' })).rejects.toMatchObject({
      code: 'secrets/denied',
    });
    const other = await vault.tokenFor(['default']);
    await expect(resolve('ref+vault://secret/db#/pw', { VAULT_TOKEN: other })).rejects.toMatchObject({
      code: 'secrets/denied',
    });
  });

  test('TLS: an authority of our own is trusted where it is named, and only there', async () => {
    await using proxy = await tlsProxy(certificate, address);
    const { cert } = certificate;
    const reference = 'ref+vault://secret/db#/pw';
    const at = { VAULT_ADDR: proxy.url };
    await expect(resolve(reference, at)).rejects.toMatchObject({ code: 'secrets/unreachable' });
    expect(await resolve(reference, { ...at, VAULT_CACERT: cert })).toBe('hunter2');
    expect(await resolve(reference, { ...at, VAULT_CAPATH: folder })).toBe('hunter2');
    expect(await resolve(reference, { ...at, VAULT_SKIP_VERIFY: 'true' })).toBe('hunter2');
    const named = { VAULT_ADDR: proxy.url.replace('localhost', '127.0.0.1'), VAULT_CACERT: cert };
    await expect(resolve(reference, named)).rejects.toMatchObject({ code: 'secrets/unreachable' });
    expect(await resolve(reference, { ...named, VAULT_TLS_SERVER_NAME: 'localhost' })).toBe('hunter2');
  });

  const vals = goTool('vals');
  const kubernetes = kubernetesServer();
  const without = kubernetes.missing ? ` (skipped: ${kubernetes.missing})` : '';
  test.skipIf(kubernetes.missing)(`a service account, which Kubernetes vouches for${without}`, async () => {
    await using cluster = await RunningKubernetes.start(kubernetes);
    await cluster.create('/api/v1/namespaces', { metadata: { name: 'web' } });
    for (const name of ['app', 'other', 'vault'])
      await cluster.create('/api/v1/namespaces/web/serviceaccounts', { metadata: { name } });
    await cluster.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'vault-asks-whose-tokens-are' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
      subjects: [{ kind: 'ServiceAccount', name: 'vault', namespace: 'web' }],
    });
    await api('sys/auth/kubernetes', { type: 'kubernetes' });
    await api('auth/kubernetes/config', {
      kubernetes_host: cluster.address,
      kubernetes_ca_cert: readFileSync(cluster.authority.cert, 'utf8'),
      disable_local_ca_jwt: true,
      token_reviewer_jwt: await cluster.tokenOf('web', 'vault'),
    });
    const bound = { bound_service_account_names: 'app', bound_service_account_namespaces: 'web' };
    await api('auth/kubernetes/role/app', { ...bound, token_policies: 'reader' });
    const reference = 'ref+vault://secret/db?auth_method=kubernetes&role_id=app#/pw';
    const file = join(folder, 'jwt');
    const pod = { VAULT_TOKEN: undefined, VAULT_KUBERNETES_JWT_TOKEN_PATH: file };
    const token = await cluster.tokenOf('web', 'app');
    writeFileSync(file, `${token}\n`);
    expect(await resolve(reference, pod)).toBe('hunter2');
    if (!vals.missing) {
      const theirs = output(vals.path, ['get', reference], {
        env: { ...env, ...pod, PATH: process.env.PATH },
      });
      expect(theirs.toString()).toBe('hunter2');
    }
    // Another account, and claims that nobody signed.
    const unsigned = `${token.slice(0, token.lastIndexOf('.'))}.${Buffer.alloc(256).toString('base64url')}`;
    for (const refused of [await cluster.tokenOf('web', 'other'), unsigned]) {
      writeFileSync(file, refused);
      await expect(resolve(reference, pod)).rejects.toMatchObject({ code: 'secrets/denied' });
    }
  });

  test.skipIf(vals.missing)('vals gives the same', async () => {
    for (const reference of [
      'ref+vault://secret/db#/pw',
      'ref+vault://secret/db/n',
      'ref+vault://team/old/db/pw',
      'ref+vault://secret/db?version=1#/pw',
    ]) {
      const theirs = output(vals.path, ['get', reference], {
        env: { ...env, PATH: process.env.PATH },
      });
      expect(String(await resolve(reference)), reference).toBe(theirs.toString());
    }
  });

  // The last one: nothing opens it again.
  test('a sealed server is asked again, and then given up', async () => {
    await api('sys/seal', {});
    await expect(resolve('ref+vault://secret/db?default=d#/pw')).rejects.toMatchObject({
      code: 'secrets/bad-answer',
      message: expect.stringMatching(/status 503: .*sealed/) as string,
    });
  });
}
