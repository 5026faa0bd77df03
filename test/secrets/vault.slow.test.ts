import { createSign, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expandText } from '../../src/secrets/expand.ts';
import { createResolver } from '../../src/secrets/resolver.ts';
import { goTool, openBao, output, type Tool, vaultServer } from './real-tools.ts';
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

  test('Kubernetes: a service account, which a stand-in for the cluster vouches for', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');
    const user = 'system:serviceaccount:web:app';
    const claims = {
      iss: 'kubernetes/serviceaccount',
      sub: user,
      nbf: Math.floor(Date.now() / 1000) - 60,
      exp: Math.floor(Date.now() / 1000) + 600,
      'kubernetes.io/serviceaccount/namespace': 'web',
      'kubernetes.io/serviceaccount/service-account.name': 'app',
      'kubernetes.io/serviceaccount/service-account.uid': 'u1',
    };
    const unsigned = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`;
    const jwt = `${unsigned}.${createSign('RSA-SHA256').update(unsigned).sign(privateKey, 'base64url')}`;
    const reviewed: unknown[] = [];
    const cluster = createServer((q, r) => {
      let body = '';
      q.on('data', (data: Buffer) => void (body += data.toString()));
      q.on('end', () => {
        reviewed.push((JSON.parse(body) as { spec: { token: string } }).spec.token);
        const status = { authenticated: true, user: { username: user, uid: 'u1' } };
        r.writeHead(201, { 'content-type': 'application/json' });
        r.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }));
      });
    });
    await new Promise<void>((done) => cluster.listen(0, '127.0.0.1', done));
    try {
      const host = `http://127.0.0.1:${(cluster.address() as AddressInfo).port}`;
      await api('sys/auth/kubernetes', { type: 'kubernetes' });
      const config = {
        kubernetes_host: host,
        disable_local_ca_jwt: true,
        token_reviewer_jwt: jwt,
        kubernetes_ca_cert: readFileSync(certificate.cert, 'utf8'),
      };
      await api('auth/kubernetes/config', config);
      const bound = { bound_service_account_names: 'app', bound_service_account_namespaces: 'web' };
      await api('auth/kubernetes/role/app', { ...bound, token_policies: 'reader' });
      writeFileSync(join(folder, 'jwt'), `${jwt}\n`);
      const pod = { VAULT_TOKEN: undefined, VAULT_KUBERNETES_JWT_TOKEN_PATH: join(folder, 'jwt') };
      const reference = 'ref+vault://secret/db?auth_method=kubernetes&role_id=app#/pw';
      expect(await resolve(reference, pod)).toBe('hunter2');
      expect(reviewed).toEqual([jwt]);
    } finally {
      cluster.closeAllConnections();
      cluster.close();
    }
  });

  const vals = goTool('vals');
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
