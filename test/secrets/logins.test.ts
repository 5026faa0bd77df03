import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expandText } from '../../src/secrets/expand.ts';
import type { Surroundings } from '../../src/secrets/provider.ts';
import { azurekeyvault } from '../../src/secrets/providers/azurekeyvault.ts';
import { parseReference } from '../../src/secrets/reference.ts';
import { createResolver } from '../../src/secrets/resolver.ts';

let folder: string;
let server: Server;
let answer: [number, object | string];
let asked: string[];
let address: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-logins-'));
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(answer[0]).end(JSON.stringify(answer[1]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const user = {
    type: 'authorized_user',
    client_id: 'id',
    client_secret: 's',
    refresh_token: 'r',
    token_uri: `${address}/token`,
  };
  writeFileSync(join(folder, 'user.json'), JSON.stringify(user));
  writeFileSync(join(folder, 'identity'), 'token');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const GRANT = { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' };
const GONE = { message: 'not there' };
const GOOGLE = 'ref+gcpsecrets://p/s?default=d&fallback_value=f&optional=true';

type Case = [
  what: string,
  reference: string,
  env: Record<string, string>,
  answer: [number, object | string],
  string,
];
const user = { GOOGLE_APPLICATION_CREDENTIALS: '@/user.json' };
const principal = { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'id', AZURE_CLIENT_SECRET: 's' };
const aws = { AWS_ENDPOINT_URL: '%', AWS_REGION: 'r' };
const identity = { AWS_ROLE_ARN: 'arn:aws:iam::1:role/r', AWS_WEB_IDENTITY_TOKEN_FILE: '@/identity' };
const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' };
const DENIED = 'secrets/denied';

// `@` is the folder, `%` the server that gives the same answer to all that is asked.
test.each<Case>([
  ["a Google user's grant that was withdrawn", GOOGLE, user, [400, GRANT], DENIED],
  ['a Google login at the wrong address', GOOGLE, user, [404, GONE], DENIED],
  [
    'a Google machine without a service account',
    GOOGLE,
    { GCE_METADATA_HOST: '%%' },
    [404, GONE],
    'secrets/not-configured',
  ],
  [
    'an Azure application with a wrong secret',
    'ref+azurekeyvault://v/s?default=d',
    { ...principal, AZURE_AUTHORITY_HOST: '%' },
    [400, GRANT],
    DENIED,
  ],
  [
    'an Azure login at the wrong address',
    'ref+azurekeyvault://v/s?default=d',
    { ...principal, AZURE_AUTHORITY_HOST: '%' },
    [404, GONE],
    DENIED,
  ],
  [
    'a Vault login that is not mounted',
    'ref+vault://secret/db?auth_method=approle&role_id=r&default=d#/x',
    { VAULT_ADDR: '%' },
    [404, { errors: ['no handler for route'] }],
    DENIED,
  ],
  [
    'a page of another server',
    'ref+doppler://p/c/NAME?default=d',
    { DOPPLER_API_ADDR: '%', DOPPLER_TOKEN: 't' },
    [404, '<html>'],
    'secrets/bad-answer',
  ],
  [
    'a list of another server',
    'ref+onepasswordconnect://v/i?default=d#/x',
    { OP_CONNECT_HOST: '%', OP_CONNECT_TOKEN: 't' },
    [404, '<html>'],
    'secrets/bad-answer',
  ],
  ['an AWS role that is not there', 'ref+awsssm://x?default=d', { ...aws, ...identity }, [404, GONE], DENIED],
  [
    'an AWS key that is not there',
    'ref+awskms://eA==?default=d',
    { ...aws, ...keys },
    [400, { __type: 'NotFoundException', message: 'Key arn:x does not exist' }],
    DENIED,
  ],
])('no default stands for %s', async (_what, reference, env, given, code) => {
  answer = given;
  asked = [];
  const host = address.replace('http://', '');
  const own = Object.entries({ HOME: folder, ...env }).map(([name, value]) => [
    name,
    value.replace('@', folder).replace('%%', host).replace('%', address),
  ]);
  const resolver = createResolver({
    env: Object.fromEntries(own) as Record<string, string>,
    patience: { attempts: 1 },
  });
  const resolved = expandText(reference, { lookup: (found) => resolver.lookup(found) });
  await expect(resolved).rejects.toMatchObject({ code });
  expect(asked).toHaveLength(1);
  const [, said = ''] = Object.values(given[1]) as string[];
  if (code === DENIED) await expect(resolved).rejects.toThrow(`status ${given[0]}: `);
  if (code === DENIED && given[0] === 400) await expect(resolved).rejects.toThrow(said);
});

test("Azure's tool is asked for the vault's own tenant, where the vault does not take the first token", async () => {
  const ran: string[] = [];
  const request = parseReference('azurekeyvault://mine/pw');
  const value = await azurekeyvault.text({ ...request, param: () => undefined }, {
    env: { AZKV_AUTH: 'cli' },
    hide: () => {},
    once: (_key, make) => make(),
    run: async (command, args) => {
      ran.push([command, ...args].join(' '));
      return { exitCode: 0, stdout: JSON.stringify({ accessToken: args.at(-1) }), stderr: '' };
    },
    fetch: async ({ headers }) => {
      if (headers?.authorization === 'Bearer team')
        return { status: 200, headers: {}, body: Buffer.from('{"value":"v"}') };
      const challenge =
        'Bearer authorization="https://login.microsoftonline.com/team", resource="https://vault.azure.net"';
      return { status: 401, headers: { 'www-authenticate': challenge }, body: Buffer.from('{}') };
    },
  } as Partial<Surroundings> as Surroundings);
  expect(value).toBe('v');
  const first = 'az account get-access-token --output json --resource https://vault.azure.net';
  expect(ran).toEqual([first, `${first} --tenant team`]);
});
