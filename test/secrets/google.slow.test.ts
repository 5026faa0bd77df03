import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { expandText } from '../../src/secrets/expand.ts';
import { createResolver } from '../../src/secrets/resolver.ts';
import { drongo, googleClients } from './real-tools.ts';
import { PROJECT, RunningDrongo } from './running-drongo.ts';

const server = drongo();
const clients = googleClients();
const missing = server.missing ?? clients.missing;

/** What Google's own library has. */
interface Auth {
  getClient(): Promise<{ setCredentials(credentials: object): void }>;
  getRequestHeaders(): Promise<Headers>;
}

// drongo asks for no login, so that a refusal is not tried here; the login itself answers from a stand-in.
describe.skipIf(missing)(`Google Cloud against drongo${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const USER = {
    type: 'authorized_user',
    client_id: 'id',
    client_secret: 's',
    refresh_token: 'r',
    quota_project_id: 'payer',
  };
  let running: RunningDrongo;
  let login: Server;
  let address: string;
  let folder: string;
  let env: Record<string, string>;
  /** Headers of what was asked of the stand-in besides the login. */
  let asked: Record<string, unknown>[];
  const sealed: Record<string, string> = {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ingot-google-'));
    asked = [];
    login = createServer((request, response) => {
      if (request.url === '/token') return void response.end('{"access_token": "of the login"}');
      asked.push(request.headers);
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => login.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(login.address() as AddressInfo).port}`;
    const file = join(folder, 'user.json');
    writeFileSync(file, JSON.stringify({ ...USER, token_uri: `${address}/token` }));
    running = await RunningDrongo.start(server, clients);
    env = {
      HOME: folder,
      GOOGLE_APPLICATION_CREDENTIALS: file,
      GCP_PROJECT: PROJECT,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: `${running.endpoint}/`,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS: running.endpoint,
    };
    await running.createSecret('db', ['pw: first\n', '{"pw": "hunter2", "users": ["ann", "bob"], "n": 5}']);
    await running.createSecret('text', ['grüße\n']);
    const [, disabled, destroyed] = await running.createSecret('old', ['a', 'b', 'c', 'd']);
    await running.secrets.disableSecretVersion({ name: disabled });
    await running.secrets.destroySecretVersion({ name: destroyed });
    await running.secrets.createSecret({ parent: `projects/${PROJECT}`, secretId: 'empty', secret: {} });
    await running.createKeys('ring', ['mine', 'other']);
    for (const text of ['{"pw": "grüße"}', '']) {
      const ciphertext = await running.encrypt('ring', 'mine', text);
      sealed[text] = ciphertext.toString('base64url');
    }
  }, 60_000);
  afterAll(async () => {
    await running?.[Symbol.asyncDispose]();
    login?.closeAllConnections();
    login?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  afterEach(() => void vi.unstubAllEnvs());

  async function resolve(text: string, more: Record<string, string> = {}): Promise<unknown> {
    const resolver = createResolver({ env: { ...env, ...more }, patience: { attempts: 2 } });
    return await expandText(text, { lookup: (reference) => resolver.lookup(reference) });
  }

  test.each([
    [`ref+gcpsecrets://${PROJECT}/db#/pw`, 'hunter2'],
    [`ref+gcpsecrets://${PROJECT}/db?version=latest#/users/-1`, 'bob'],
    [`ref+gcpsecrets://${PROJECT}/db?version=1#/pw`, 'first'],
    ['ref+gcpsecrets://db?version=2#/n', 5],
    ['<ref+gcpsecrets://db?version=1+>', '<pw: first\n>'],
    ['<ref+gcpsecrets://text+>', '<grüße\n>'],
    ['<ref+gcpsecrets://text?trim_nl=true+>', '<grüße>'],
    ['ref+gcpsecrets://old?version=1', 'a'],
    ['ref+gcpsecrets://none?default=d', 'd'],
    ['ref+gcpsecrets://db?version=9&fallback_value=f', 'f'],
    ['<ref+gcpsecrets://none?optional=true+>', '<>'],
  ])('%s', async (reference, expected) => expect(await resolve(reference)).toBe(expected));

  test.each([
    ['ref+gcpsecrets://none', 'secrets/not-found', `there is no secret none of the project ${PROJECT}: `],
    ['ref+gcpsecrets://else/db', 'secrets/not-found', 'there is no secret db of the project else: '],
    ['ref+gcpsecrets://db?version=9', 'secrets/not-found', `secrets/db/versions/9] not found`],
    ['ref+gcpsecrets://empty', 'secrets/not-found', 'versions/latest] not found'],
    ['ref+gcpsecrets://db#/none', 'secrets/not-found', 'there is no key "none"'],
    ['ref+gcpsecrets://old?version=2&default=d', 'secrets/bad-answer', 'state DISABLED'],
    ['ref+gcpsecrets://old?version=3&optional=true', 'secrets/bad-answer', 'state DESTROYED'],
  ])('%s fails with %s', async (reference, code, message) => {
    await expect(resolve(reference)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });

  const key = (name: string, project = PROJECT): string =>
    `project=${project}&location=global&keyring=ring&crypto_key=${name}`;

  test('what Cloud KMS encrypted', async () => {
    const [document, nothing] = Object.values(sealed);
    expect(await resolve(`ref+gkms://${document}?${key('mine')}#/pw`)).toBe('grüße');
    expect(await resolve(`ref+gkms://${document}?${key('mine')}`)).toBe('{"pw": "grüße"}');
    expect(await resolve(`<ref+gkms://${nothing}?${key('mine')}+>`)).toBe('<>');
  });

  test.each([
    ['another key', (sealed: string) => [sealed, key('other')], 'secrets/bad-answer', 'not for this key'],
    ['no such key', (sealed: string) => [sealed, key('none')], 'secrets/denied', 'cryptoKeys/none'],
    ['another project', (sealed: string) => [sealed, key('mine', 'else')], 'secrets/denied', 'projects/else'],
    ['damage', (sealed: string) => [`AA${sealed.slice(2)}`, key('mine')], 'secrets/bad-answer', 'malformed'],
    ['a part', (sealed: string) => [sealed.slice(0, 40), key('mine')], 'secrets/bad-answer', 'malformed'],
    ['no key', (sealed: string) => [sealed, 'project=p'], 'secrets/bad-reference', 'location'],
  ])('decrypts nothing with %s, and no default stands for it', async (_what, place, code, message) => {
    const [path, params] = place(Object.values(sealed)[0] as string);
    await expect(resolve(`ref+gkms://${path}?${params}&default=d`)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });

  test.each(['', 'another'])(
    "calls have the headers of Google's own library, GOOGLE_CLOUD_QUOTA_PROJECT=%s",
    async (quota) => {
      const here = {
        CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: address,
        GOOGLE_CLOUD_QUOTA_PROJECT: quota,
      };
      expect(await resolve('ref+gcpsecrets://none?default=d', here)).toBe('d');
      const { authorization, 'x-goog-user-project': project } = asked.at(-1) ?? {};
      expect(project).toBe(quota || 'payer');
      const load = createRequire(join(clients.path, 'x.js'));
      const { GoogleAuth } = load('google-auth-library') as { GoogleAuth: new () => Auth };
      vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', env.GOOGLE_APPLICATION_CREDENTIALS);
      vi.stubEnv('GOOGLE_CLOUD_QUOTA_PROJECT', quota);
      const auth = new GoogleAuth();
      const client = await auth.getClient();
      client.setCredentials({ access_token: 'of the login', expiry_date: Date.now() + 3_600_000 });
      const theirs = await auth.getRequestHeaders();
      expect([authorization, project]).toEqual([
        theirs.get('authorization'),
        theirs.get('x-goog-user-project'),
      ]);
    },
  );
});
