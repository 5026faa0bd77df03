import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { expandText } from '../../src/secrets/expand.ts';
import { createResolver } from '../../src/secrets/resolver.ts';
import { drongo, googleClients, googleLogin } from './real-tools.ts';
import { PROJECT, RunningDrongo } from './running-drongo.ts';
import { RunningGoogleLogin } from './running-google-login.ts';

const server = drongo();
const clients = googleClients();
const packages = googleLogin();
const missing = server.missing ?? clients.missing ?? packages.missing;

/** What Google's own library has. */
interface Auth {
  getClient(): Promise<{ setCredentials(credentials: object): void }>;
  getRequestHeaders(): Promise<Headers>;
}

// drongo takes any token, so that only the login is refused here.
const title = `Google Cloud against drongo, its login against @emulators/google`;
describe.skipIf(missing)(`${title}${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let running: RunningDrongo;
  let login: RunningGoogleLogin;
  let user: Record<string, string>;
  let folder: string;
  let env: Record<string, string>;
  const sealed: Record<string, string> = {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ingot-google-'));
    login = await RunningGoogleLogin.start(packages);
    user = { ...(await login.logIn()), quota_project_id: 'payer' };
    running = await RunningDrongo.start(server, clients);
    env = {
      HOME: folder,
      GOOGLE_APPLICATION_CREDENTIALS: credentials('user', user),
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
    await login?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  afterEach(() => void vi.unstubAllEnvs());

  /** A file of credentials. */
  function credentials(name: string, content: object): string {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify(content));
    return path;
  }

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

  test.each([
    ['client_secret', 'status 401: The client_secret is incorrect.; invalid_client'],
    ['refresh_token', 'status 400: The refresh token is invalid.; invalid_grant'],
  ])('a login with a wrong %s is refused, and no default stands for it', async (name, message) => {
    const wrong = credentials(name, { ...user, [name]: 'wrong' });
    const reference = 'ref+gcpsecrets://db?default=d&optional=true#/pw';
    await expect(resolve(reference, { GOOGLE_APPLICATION_CREDENTIALS: wrong })).rejects.toMatchObject({
      code: 'secrets/denied',
      message: expect.stringContaining(message) as string,
    });
  });

  test.each(['', 'another'])(
    "calls are the user's, and count for the project of Google's own library, GOOGLE_CLOUD_QUOTA_PROJECT=%s",
    async (quota) => {
      const here = {
        CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: login.endpoint,
        GOOGLE_CLOUD_QUOTA_PROJECT: quota,
      };
      expect(await resolve('ref+gcpsecrets://none?default=d', here)).toBe('d');
      const { authorization = '', 'x-goog-user-project': project } = login.asked.at(-1) ?? {};
      expect(await login.userOf(authorization)).toBe('ann@example.com');
      expect(project).toBe(quota || 'payer');
      const load = createRequire(join(clients.path, 'x.js'));
      const { GoogleAuth } = load('google-auth-library') as { GoogleAuth: new () => Auth };
      vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', env.GOOGLE_APPLICATION_CREDENTIALS);
      vi.stubEnv('GOOGLE_CLOUD_QUOTA_PROJECT', quota);
      // Without it the library looks for a metadata server.
      vi.stubEnv('GOOGLE_CLOUD_PROJECT', PROJECT);
      const auth = new GoogleAuth();
      const client = await auth.getClient();
      client.setCredentials({ access_token: 'any', expiry_date: Date.now() + 3_600_000 });
      const theirs = await auth.getRequestHeaders();
      expect(project).toBe(theirs.get('x-goog-user-project'));
    },
  );
});
