import { generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expandText } from '../../src/secrets/expand.ts';
import type { HttpAnswer, HttpRequest } from '../../src/secrets/http.ts';
import type { Provider, Surroundings } from '../../src/secrets/provider.ts';
import { azurekeyvault } from '../../src/secrets/providers/azurekeyvault.ts';
import { doppler } from '../../src/secrets/providers/doppler.ts';
import { gcpsecrets } from '../../src/secrets/providers/gcpsecrets.ts';
import { gitlab } from '../../src/secrets/providers/gitlab.ts';
import { gkms } from '../../src/secrets/providers/gkms.ts';
import { onepasswordconnect } from '../../src/secrets/providers/onepasswordconnect.ts';
import { pick } from '../../src/secrets/fragment.ts';
import { readYaml } from '../../src/secrets/read-yaml.ts';

// Providers, and parts of them, that no real server or emulator was at hand for: here they meet the answers that their
// services' documentation shows. docs/secrets.md does not call those providers supported.

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-untried-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Answers = (request: HttpRequest) => [number, unknown] | undefined;

/** Expands a text by one provider, whose service answers what `answers` says; every request is written down. */
async function resolve(provider: Provider, text: string, env: Record<string, string>, answers: Answers) {
  const asked: HttpRequest[] = [];
  const made = new Map<string, Promise<unknown>>();
  const around: Surroundings = {
    env: { HOME: folder, ...env },
    now: () => new Date('2026-01-02T03:04:05Z'),
    hide: () => {},
    run: async () => ({ exitCode: 1, stdout: '', stderr: '' }),
    once<T>(key: readonly unknown[], make: () => Promise<T>): Promise<T> {
      const name = JSON.stringify(key);
      made.set(name, made.get(name) ?? make());
      return made.get(name) as Promise<T>;
    },
    async fetch(request): Promise<HttpAnswer> {
      asked.push(request);
      const [status, json] = answers(request) ?? [404, {}];
      return { status, headers: {}, body: Buffer.from(JSON.stringify(json)) };
    },
  };
  const value = await expandText(text, {
    async lookup(reference) {
      const request = { ...reference, param: (name: string) => reference.params.get(name) };
      if (reference.fragment === '') return await provider.text(request, around);
      const document = provider.document
        ? await provider.document(request, around)
        : readYaml(await provider.text(request, around), 'it');
      const picked = pick(document, reference.fragment, 'it');
      return picked.found ? picked.value : undefined;
    },
  });
  return { value, asked, urls: asked.map(({ url }) => url.href) };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('doppler: one request for all of a config', async () => {
  const secrets = { PW: { computed: 'hunter2' }, DOPPLER_PROJECT: { computed: 'p' } };
  const text = 'ref+doppler://p/dev/PW ref+doppler://p/dev/#PW ref+doppler://p/dev/';
  const { value, urls } = await resolve(doppler, text, { DOPPLER_TOKEN: 't' }, () => [200, { secrets }]);
  expect(value).toBe('hunter2 hunter2 {"PW":"hunter2"}');
  expect(urls).toEqual(['https://api.doppler.com/v3/configs/config/secrets?project=p&config=dev']);
});

test('gitlab: variables of projects and groups', async () => {
  const text =
    'ref+gitlab://git.example/11/PW ref+gitlab://git.example/groups/22/PW ref+gitlab://git.example/projects/team/app/PW';
  const { value, urls } = await resolve(gitlab, text, { GITLAB_TOKEN: 't' }, ({ url }) => [
    200,
    { value: url.pathname.includes('groups') ? 'group' : 'project' },
  ]);
  expect(value).toBe('project group project');
  expect(urls).toEqual([
    'https://git.example/api/v4/projects/11/variables/PW',
    'https://git.example/api/v4/groups/22/variables/PW',
    'https://git.example/api/v4/projects/team%2Fapp/variables/PW',
  ]);
  for (const path of ['projects/PW/', 'projects/../PW', 'projects/a/%252e%252e/PW', 'people/1/PW', 'PW']) {
    const refused = resolve(gitlab, `ref+gitlab://git.example/${path}`, { GITLAB_TOKEN: 't' }, () => [
      200,
      {},
    ]);
    await expect(refused, path).rejects.toMatchObject({ code: 'secrets/bad-reference' });
  }
});

test('onepasswordconnect: by name and by id, fields with sections', async () => {
  const item = {
    fields: [
      { id: 'password', label: 'password', value: 'hunter2' },
      { id: 'f1', label: 'port', value: '5432', section: { id: 's1', label: 'db' } },
    ],
  };
  const answers: Answers = ({ url }) => {
    const path = url.pathname + url.search;
    if (path === '/v1/vaults?filter=name+eq+%22Team%22') return [200, [{ id: 'vaultid' }]];
    if (path === '/v1/vaults/vaultid/items?filter=title+eq+%22Db%22') return [200, [{ id: 'itemid' }]];
    return path === '/v1/vaults/vaultid/items/itemid' ? [200, item] : undefined;
  };
  const env = { OP_CONNECT_HOST: 'http://op:8080', OP_CONNECT_TOKEN: 't' };
  const text =
    'ref+onepasswordconnect://Team/Db#/password ref+onepasswordconnect://Team/Db#/db.port ref+onepasswordconnect://Team/Db#/s1.f1';
  expect((await resolve(onepasswordconnect, text, env, answers)).value).toBe('hunter2 5432 5432');
});

describe('Google Cloud', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const answers: Answers = ({ url, body }) => {
    if (url.href === 'https://oauth2.googleapis.com/token') {
      const [header = '', claims = '', signature = ''] = (
        new URLSearchParams(body).get('assertion') ?? ''
      ).split('.');
      const fits = verify(
        'RSA-SHA256',
        Buffer.from(`${header}.${claims}`),
        publicKey,
        Buffer.from(signature, 'base64url'),
      );
      const { iss, aud, exp, iat } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<
        string,
        unknown
      >;
      expect([fits, iss, aud, Number(exp) - Number(iat)]).toEqual([true, 'a@b', url.href, 3600]);
      return [200, { access_token: 'google' }];
    }
    if (url.pathname === '/v1/projects/p/secrets/db/versions/3:access')
      return [200, { payload: { data: base64('pw: hunter2\n') } }];
    if (url.pathname.endsWith('/cryptoKeys/k:decrypt'))
      return [
        200,
        { plaintext: base64(`of ${(JSON.parse(body ?? '') as { ciphertext: string }).ciphertext}`) },
      ];
    if (url.pathname.endsWith('/cryptoKeys/empty:decrypt')) return [200, { plaintextCrc32c: '0' }];
    return url.pathname.endsWith(':decrypt') ? [200, {}] : [404, {}];
  };
  const env = (): Record<string, string> => {
    const file = join(folder, 'google.json');
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' });
    writeFileSync(file, JSON.stringify({ type: 'service_account', client_email: 'a@b', private_key: key }));
    return { GOOGLE_APPLICATION_CREDENTIALS: file, GCP_PROJECT: 'p' };
  };

  test('a service account signs for its token, once', async () => {
    const text = 'ref+gcpsecrets://p/db?version=3#/pw ref+gcpsecrets://db?version=3&trim_nl=true+';
    const { value, asked } = await resolve(gcpsecrets, text, env(), answers);
    expect(value).toBe('hunter2 pw: hunter2');
    expect(asked.filter(({ url }) => url.host.startsWith('oauth2'))).toHaveLength(1);
    expect(asked.at(-1)?.headers).toMatchObject({ authorization: 'Bearer google' });
  });

  test('Cloud KMS, and an empty text, which its JSON leaves out', async () => {
    const key = 'project=p&location=global&keyring=r&crypto_key';
    const text = `<ref+gkms://-_8=?${key}=k+> <ref+gkms://-_8=?${key}=empty+>`;
    const { value, urls } = await resolve(gkms, text, env(), answers);
    expect(value).toBe('<of +/8=> <>');
    expect(urls.at(-2)).toBe(
      'https://cloudkms.googleapis.com/v1/projects/p/locations/global/keyRings/r/cryptoKeys/k:decrypt',
    );
    const none = resolve(gkms, `ref+gkms://eA==?${key}=nothing`, env(), answers);
    await expect(none).rejects.toMatchObject({ code: 'secrets/not-found' });
  });
});

test('azurekeyvault: public and other clouds', async () => {
  const env = {
    AZURE_TENANT_ID: 'tenant',
    AZURE_CLIENT_ID: 'id',
    AZURE_CLIENT_SECRET: 's',
    AZKV_AUTH: 'environment',
  };
  const text = 'ref+azurekeyvault://mine/pw ref+azurekeyvault://mine.vault.usgovcloudapi.net/pw/v1';
  const { value, asked, urls } = await resolve(azurekeyvault, text, env, ({ url }) =>
    url.hostname === 'login.microsoftonline.com'
      ? [200, { access_token: 'azure' }]
      : [200, { value: url.pathname }],
  );
  expect(value).toBe('/secrets/pw /secrets/pw/v1');
  expect(urls).toContain('https://mine.vault.azure.net/secrets/pw?api-version=7.4');
  const scopes = asked.flatMap(({ body }) =>
    body === undefined ? [] : [new URLSearchParams(body).get('scope')],
  );
  expect(new Set(scopes)).toEqual(
    new Set(['https://vault.azure.net/.default', 'https://vault.usgovcloudapi.net/.default']),
  );
});
