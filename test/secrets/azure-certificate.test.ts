import { constants, verify, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { azureToken } from '../../src/secrets/azure/token.ts';
import type { Surroundings } from '../../src/secrets/provider.ts';
import { output } from './real-tools.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const openssl = (...args: string[]): void => void output('openssl', args, { quiet: true });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-azure-'));
  for (const name of ['app', 'other']) {
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.cert`)];
    openssl('req', '-x509', '-nodes', '-subj', `/CN=${name}`, '-newkey', 'rsa:2048', ...files);
  }
  openssl('rsa', '-aes256', '-passout', 'pass:pw', '-in', at('app.key'), '-out', at('locked.key'));
  const [own, key, other] = ['app.cert', 'app.key', 'other.cert'].map((name) =>
    readFileSync(at(name), 'utf8'),
  );
  writeFileSync(at('app.pem'), `${own}${key}`);
  writeFileSync(at('chain.pem'), `${key}${other}${own}`);
  writeFileSync(at('locked.pem'), `${own}${readFileSync(at('locked.key'), 'utf8')}`);
  writeFileSync(at('foreign.pem'), `${other}${key}`);
  writeFileSync(at('broken.pem'), `${own}${key?.replace(/\n.{20}/, '\n!!!')}`);
  openssl(
    'pkcs12',
    '-export',
    '-passout',
    'pass:',
    '-inkey',
    at('app.key'),
    '-in',
    at('app.cert'),
    '-out',
    at('app.pfx'),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

async function assertionOf(file: string, more: Record<string, string> = {}): Promise<string> {
  let sent = '';
  await azureToken({ resource: 'https://vault.azure.net' }, {
    env: {
      AZKV_AUTH: 'environment',
      AZURE_TENANT_ID: 'team',
      AZURE_CLIENT_ID: 'app',
      AZURE_CLIENT_CERTIFICATE_PATH: at(file),
      ...more,
    },
    now: () => new Date('2026-01-02T03:04:05Z'),
    hide: () => {},
    once: (_key, make) => make(),
    fetch: async ({ body = '' }) => {
      sent = new URLSearchParams(body).get('client_assertion') ?? '';
      return { status: 200, headers: {}, body: Buffer.from('{"access_token": "t"}') };
    },
  } as Partial<Surroundings> as Surroundings);
  return sent;
}

const read = (part = ''): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());

test.each<[string, Record<string, string>]>([
  ['app.pem', {}],
  ['chain.pem', {}],
  ['locked.pem', { AZURE_CLIENT_CERTIFICATE_PASSWORD: 'pw' }],
])('an application proves itself with %s', async (file, env) => {
  const [header, claims, signature = ''] = (await assertionOf(file, env)).split('.');
  const certificate = new X509Certificate(readFileSync(at('app.cert')));
  const thumbprint = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
  expect(read(header)).toEqual({ alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint });
  const now = Date.UTC(2026, 0, 2, 3, 4, 5) / 1000;
  expect(read(claims)).toEqual({
    aud: 'https://login.microsoftonline.com/team/oauth2/v2.0/token',
    iss: 'app',
    sub: 'app',
    nbf: now,
    exp: now + 600,
    jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
  });
  const key = {
    key: certificate.publicKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
  const isSigned = verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    key,
    Buffer.from(signature, 'base64url'),
  );
  expect(isSigned).toBe(true);
});

test('the chain goes along where it is asked for, the own certificate first', async () => {
  const env = { AZURE_CLIENT_SEND_CERTIFICATE_CHAIN: 'true' };
  const { x5c } = read((await assertionOf('chain.pem', env)).split('.')[0]) as { x5c: string[] };
  const names = x5c.map((der) => new X509Certificate(Buffer.from(der, 'base64')).subject);
  expect(names).toEqual(['CN=app', 'CN=other']);
});

test.each([
  ['none.pem', "can't be read: "],
  ['app.pfx', 'has no certificate and key in PEM'],
  ['app.cert', 'has no certificate and key in PEM'],
  ['locked.pem', "can't be opened"],
  ['broken.pem', "can't be opened"],
  ['foreign.pem', 'has no RSA key for one of its certificates'],
])('%s is told', async (file, message) => {
  await expect(assertionOf(file)).rejects.toMatchObject({
    code: 'secrets/not-configured',
    message: expect.stringContaining(`CERTIFICATE_PATH names ${at(file)}, which ${message}`) as string,
  });
});
