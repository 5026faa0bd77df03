import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, createHash, verify, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { azureToken } from '../../src/secrets/azure/token.ts';
import type { Surroundings } from '../../src/secrets/provider.ts';
import { root } from '../project/source-files.ts';
import { goTool, output } from './real-tools.ts';
import { type Answers, type Asked, ServicesStandIn } from './services-stand-in.ts';

const vals = goTool('vals');
const run = promisify(execFile);

const OP_ITEM = {
  id: 'i'.repeat(26),
  vault: { id: 'v'.repeat(26) },
  fields: [
    { id: 'password', label: 'password', value: 'hunter2' },
    { id: 'f1', label: 'port', value: '5432', section: { id: 's1', label: 'db' } },
  ],
};
const DOPPLER = Object.entries({ PW: 'hunter2', JSON: '{"a": 1}', DOPPLER_CONFIG: 'dev' }).map(
  ([name, computed]) => [name, { raw: computed, computed }],
);
const AZURE: Record<string, string> = { '/secrets/pw': 'hunter2', '/secrets/pw/v1': 'before' };
/** Stands in for `az` and for `azd`: logged in to `home`, and to `tenant`, whose users the vault takes. */
const AZURE_TOOL = `#!/bin/sh
echo "$0 $*" >> "$HOME/called"
case "$*" in *" tenant"*) token='for https://vault.azure.net/.default' ;; *) token='for home' ;; esac
when=2096-01-02T15:04:05Z
echo "{\\"accessToken\\":\\"$token\\",\\"expires_on\\":3976000000,\\"token\\":\\"$token\\",\\"expiresOn\\":\\"$when\\"}"
`;
let certificate: X509Certificate | undefined;
const MACHINE = 'http://169.254.169.254';

/** As the services' documentation has it. */
const answers: Answers = ({ method, url, headers, body }) => {
  const { pathname } = url;
  if (pathname.startsWith('/api/v4/')) {
    if (headers['private-token'] !== 'gl') return [401, { message: '401 Unauthorized' }];
    const [, , , kind, id, , key] = pathname.split('/');
    if (key !== 'PW') return [404, { message: '404 Variable Not Found' }];
    return [200, { key, value: `{of: ${kind} ${id}}`, environment_scope: '*' }];
  }
  if (pathname === '/v3/configs/config/secrets') {
    if (headers.authorization !== `Basic ${Buffer.from('dp:').toString('base64')}`)
      if (headers.authorization !== 'Bearer dp')
        return [401, { messages: ['was refused: Doppler answered with status 401: Invalid Auth token'] }];
    return [200, { secrets: Object.fromEntries(DOPPLER) as unknown, success: true }];
  }
  if (pathname.startsWith('/v1/vaults')) {
    if (headers.authorization !== 'Bearer op') return [401, { status: 401, message: 'Invalid token' }];
    const isCalled = (name: string): boolean =>
      [`name eq "${name}"`, `title eq "${name}"`].includes(url.searchParams.get('filter') ?? '');
    const vault = 'v'.repeat(26);
    if (pathname === '/v1/vaults') return [200, isCalled('Team') ? [{ id: vault }] : []];
    if (pathname === `/v1/vaults/${vault}/items`) return [200, isCalled('Db 1') ? [OP_ITEM] : []];
    if (pathname === `/v1/vaults/${vault}/items/${OP_ITEM.id}`) return [200, OP_ITEM];
    return [404, { status: 404, message: 'item not found' }];
  }
  return azure({ method, url, headers, body });
};

const azure: Answers = ({ method, url, headers, body }) => {
  const { hostname, pathname } = url;
  const login = `https://${hostname.includes('us') ? 'login.microsoftonline.us' : 'login.microsoftonline.com'}`;
  const issued = (token: string): [number, object] => [
    200,
    { access_token: token, token_type: 'Bearer', expires_in: 3600, expires_on: String(4e9) },
  ];
  if (pathname === '/common/discovery/instance') {
    const names = [new URL(login).hostname];
    const tenant = `${login}/tenant/v2.0/.well-known/openid-configuration`;
    return [
      200,
      { tenant_discovery_endpoint: tenant, metadata: [{ preferred_network: names[0], aliases: names }] },
    ];
  }
  if (pathname.endsWith('/.well-known/openid-configuration')) {
    const issuer = `${login}/tenant/v2.0`;
    const token_endpoint = `${login}/tenant/oauth2/v2.0/token`;
    return [200, { issuer, token_endpoint, authorization_endpoint: `${login}/tenant/oauth2/v2.0/authorize` }];
  }
  if (method === 'POST' && pathname === '/tenant/oauth2/v2.0/token') {
    const fields = new URLSearchParams(body);
    const assertion = fields.get('client_assertion') ?? '';
    const isKnown = fields.get('client_secret') === 's' || assertion === 'federated' || isSigned(assertion);
    if (!isKnown)
      return [401, { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid secret' }];
    return issued(`for ${fields.get('scope')?.split(' ')[0]}`);
  }
  if (url.origin === MACHINE || pathname === '/msi') {
    const isOurs = headers.metadata === 'true' || headers['x-identity-header'] === 'h';
    return isOurs ? issued(`for ${url.searchParams.get('resource')}/.default`) : [400, {}];
  }
  const cloud = `https://${hostname.split('.').slice(1).join('.')}`;
  if (headers.authorization !== `Bearer for ${cloud}/.default`) {
    const challenge = `Bearer authorization="${login}/tenant", resource="${cloud}"`;
    return [401, { error: { code: 'Unauthorized' } }, { 'www-authenticate': challenge }];
  }
  const value = AZURE[pathname.replace(/\/$/, '')];
  if (value !== undefined && url.searchParams.has('api-version')) return [200, { value, id: url.href }];
  return [
    404,
    { error: { code: 'SecretNotFound', message: `A secret with (name/id) ${pathname} was not found` } },
  ];
};

/** Signed with the key of the certificate that it names, as Entra has it. */
function isSigned(assertion: string): boolean {
  const [header = '', claims = '', signature = ''] = assertion.split('.');
  if (signature === '' || certificate === undefined) return false;
  const { alg, 'x5t#S256': thumbprint = '' } = JSON.parse(
    Buffer.from(header, 'base64url').toString(),
  ) as Record<string, string>;
  const own = createHash('sha256').update(certificate.raw).digest('hex');
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const key = { key: certificate.publicKey, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  const isRight = verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    key,
    Buffer.from(signature, 'base64url'),
  );
  return alg === 'PS256' && Buffer.from(thumbprint, 'base64').toString('hex') === own && isRight;
}

/** What counts of an assertion that is signed; others as they are. */
function claimsOf(assertion: string): string {
  const [header = '', claims] = assertion.split('.');
  if (claims === undefined) return assertion;
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  const { alg, typ, x5c } = read(header);
  const { aud, iss, sub, nbf, exp, jti } = read(claims);
  return JSON.stringify([alg, typ, x5c, aud, iss, sub, Number(exp) - Number(nbf), typeof jti]);
}

/** What counts of a request. Dropped: versions of APIs, and what only one of the two says of itself. */
function essence({ method, url, headers, body }: Asked): string {
  const query = [...url.searchParams]
    .filter(([name, value]) => !['api-version', 'include_dynamic_secrets'].includes(name) && value !== '')
    // Both names of the attribute are known to 1Password's server.
    .map(([name, value]) => `${name}=${value.replace(/^title eq /, 'name eq ')}`)
    .sort();
  const fields = [...new URLSearchParams(body)]
    .filter(([name]) => !['client_info', 'claims'].includes(name))
    .map(([name, value]) => {
      if (name === 'client_assertion') return `${name}=${claimsOf(value)}`;
      return `${name}=${name === 'scope' ? value.split(' ')[0] : value}`;
    })
    .sort();
  const basic = /^Basic (.*)$/.exec(headers.authorization ?? '')?.[1];
  const token = basic === undefined ? undefined : Buffer.from(basic, 'base64').toString().replace(/:$/, '');
  const authorization = token === undefined ? headers.authorization : `Bearer ${token}`;
  const opens = [headers['private-token'], authorization, headers.metadata, headers['x-identity-header']];
  return JSON.stringify([method, url.origin, url.pathname.replace(/\/$/, ''), query, fields, opens]);
}

/** What only a library asks: where to log in. */
function isDiscovery({ url, headers }: Asked): boolean {
  const isVault = url.hostname.includes('.vault.') && headers.authorization === undefined;
  return isVault || url.pathname.includes('/discovery/') || url.pathname.includes('/.well-known/');
}

describe.skipIf(vals.missing)(
  `what vals 0.46.1 asks services for that no emulator is there${vals.missing ? ` (skipped: ${vals.missing})` : ''}`,
  () => {
    let folder: string;
    let services: ServicesStandIn;
    let agent: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'ingot-services-'));
      agent = join(folder, 'agent.cjs');
      execFileSync(process.execPath, [join(root, 'scripts/build-agent.mjs'), agent]);
      writeFileSync(join(folder, 'federated'), 'federated');
      mkdirSync(join(folder, 'bin'));
      for (const name of ['az', 'azd']) writeFileSync(join(folder, 'bin', name), AZURE_TOOL, { mode: 0o755 });
      const [key, cert] = [join(folder, 'app.key'), join(folder, 'app.cert')];
      const subject = ['-subj', '/CN=app', '-keyout', key, '-out', cert];
      output('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject], { quiet: true });
      certificate = new X509Certificate(readFileSync(cert));
      writeFileSync(join(folder, 'app.pem'), `${readFileSync(cert, 'utf8')}${readFileSync(key, 'utf8')}`);
      const hosts = ['*.vault.azure.net', '*.vault.usgovcloudapi.net', 'login.microsoftonline.com'];
      const others = ['login.microsoftonline.us', 'login.microsoft.com'];
      services = await ServicesStandIn.start(folder, [...hosts, ...others], answers);
    }, 60_000);
    afterAll(async () => {
      await services?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });
    beforeEach(() => void services.asked.splice(0));

    type Env = Readonly<Record<string, string>>;

    /** `HOST` is the stand-in's host, `@` the folder. */
    function here(text: string): string {
      return text.replaceAll('HOST', services.host).replaceAll('@', folder);
    }

    async function get(command: string, args: readonly string[], more: Env): Promise<string> {
      const own = Object.entries(more).map(([name, value]) => [name, here(value)]);
      const env = {
        PATH: join(folder, 'bin'),
        HOME: folder,
        ...services.env,
        ...Object.fromEntries(own),
      } as Env;
      const { stdout } = await run(command, args.map(here), { env, timeout: 60_000 });
      return stdout.trimEnd();
    }

    const OP = { OP_CONNECT_HOST: 'http://HOST', OP_CONNECT_TOKEN: 'op' };
    const GITLAB = { GITLAB_TOKEN: 'gl' };
    const DP = { DOPPLER_TOKEN: 'dp', DOPPLER_API_ADDR: 'http://HOST' };
    const APP = { AZURE_TENANT_ID: 'tenant', AZURE_CLIENT_ID: 'id', AZURE_CLIENT_SECRET: 's' };
    const GOVERNMENT = { ...APP, AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.us' };
    const WORKLOAD = {
      AZKV_AUTH: 'workload',
      AZURE_TENANT_ID: 'tenant',
      AZURE_CLIENT_ID: 'id',
      AZURE_FEDERATED_TOKEN_FILE: '@/federated',
    };
    const CERTIFICATE = {
      AZURE_TENANT_ID: 'tenant',
      AZURE_CLIENT_ID: 'id',
      AZURE_CLIENT_CERTIFICATE_PATH: '@/app.pem',
    };
    const ITEM = 'i'.repeat(26);
    const VAULT = 'v'.repeat(26);

    test.each<[reference: string, env: Env, value: string]>([
      ['ref+gitlab://HOST/11/PW?scheme=http', GITLAB, '{of: projects 11}'],
      ['ref+gitlab://HOST/projects/11/PW?scheme=http', GITLAB, '{of: projects 11}'],
      ['ref+gitlab://HOST/team%252Fapp/PW?scheme=http', GITLAB, '{of: projects team%2Fapp}'],
      ['ref+gitlab://HOST/groups/22/PW?scheme=http#/of', GITLAB, 'groups 22'],
      ['ref+doppler://p/dev/PW', DP, 'hunter2'],
      ['ref+doppler:////PW', DP, 'hunter2'],
      ['ref+doppler://p/dev/', DP, '{"JSON":"{\\"a\\": 1}","PW":"hunter2"}'],
      [`ref+onepasswordconnect://${VAULT}/${ITEM}#/password`, OP, 'hunter2'],
      [`ref+onepasswordconnect://${VAULT}/${ITEM}#/db.port`, OP, '5432'],
      [
        `ref+onepasswordconnect://${VAULT}/${ITEM}`,
        OP,
        'db.f1: "5432"\ndb.port: "5432"\nf1: "5432"\npassword: hunter2\ns1.f1: "5432"\ns1.port: "5432"',
      ],
      ['ref+onepasswordconnect://Team/Db%201#/s1.f1', OP, '5432'],
      ['ref+azurekeyvault://mine/pw', APP, 'hunter2'],
      ['ref+azurekeyvault://mine/pw/v1', APP, 'before'],
      ['ref+azurekeyvault://mine.vault.usgovcloudapi.net/pw', GOVERNMENT, 'hunter2'],
      ['ref+azurekeyvault://mine/pw', WORKLOAD, 'hunter2'],
      ['ref+azurekeyvault://mine/pw', CERTIFICATE, 'hunter2'],
      [
        'ref+azurekeyvault://mine/pw',
        { ...CERTIFICATE, AZURE_CLIENT_SEND_CERTIFICATE_CHAIN: 'true' },
        'hunter2',
      ],
      [
        'ref+azurekeyvault://mine/pw',
        { AZKV_AUTH: 'managed', IDENTITY_ENDPOINT: 'http://HOST/msi', IDENTITY_HEADER: 'h' },
        'hunter2',
      ],
    ])('%s is asked for as vals does, %j', async (reference, env, value) => {
      const theirs = await get(vals.path, ['get', reference], env);
      const asked = services.asked.splice(0).filter((one) => !isDiscovery(one));
      const ours = await get(process.execPath, [agent, 'get', reference], env);
      expect([ours, theirs]).toEqual([value, value]);
      expect(new Set(services.asked.map(essence))).toEqual(new Set(asked.map(essence)));
    });

    // No proxy of ours leads to a machine's metadata, so that ours is written down before it goes out.
    test.each<Env>([{}, { AZURE_CLIENT_ID: 'id' }])("a machine's own identity, %j", async (more) => {
      const env = { AZKV_AUTH: 'managed', ...more };
      expect(await get(vals.path, ['get', 'ref+azurekeyvault://mine/pw'], env)).toBe('hunter2');
      const theirs = services.asked.filter(({ url }) => url.origin === MACHINE);
      const ours: Asked[] = [];
      const token = await azureToken({ resource: 'https://vault.azure.net' }, {
        env,
        hide: () => {},
        once: (_key, make) => make(),
        fetch: async ({ url, headers = {} }) => {
          const asked = { method: 'GET', url, headers: headers as Record<string, string>, body: '' };
          ours.push(asked);
          const [status, json] = answers(asked);
          return { status, headers: {}, body: Buffer.from(JSON.stringify(json)) };
        },
      } as Partial<Surroundings> as Surroundings);
      expect(token).toBe('for https://vault.azure.net/.default');
      expect(ours.map(essence)).toEqual(theirs.map(essence));
    });

    test.each(['cli', 'devcli'])("a token of Azure's own tool, %s", async (way) => {
      const reference = 'ref+azurekeyvault://mine/pw';
      for (const [program, ...args] of [[vals.path], [process.execPath, agent]] as [string, ...string[]][])
        expect(await get(program, [...args, 'get', reference], { AZKV_AUTH: way })).toBe('hunter2');
      const called = readFileSync(join(folder, 'called'), 'utf8').trimEnd().split('\n');
      const words = called.map((line) => new Set(line.replace('-o json', '--output json').split(' ')));
      // We ask for another token only where the vault does not take the first one.
      expect(words).toHaveLength(3);
      expect(words[2]).toEqual(words[0]);
      rmSync(join(folder, 'called'));
    });

    test.each<[reference: string, env: Env, message: string]>([
      ['ref+gitlab://HOST/11/NONE?scheme=http', GITLAB, 'variable NONE of projects 11'],
      [
        'ref+gitlab://HOST/11/PW?scheme=http',
        { GITLAB_TOKEN: 'x' },
        'was refused: HOST answered with status 401: 401 Unauthorized',
      ],
      ['ref+doppler://p/dev/NONE', DP, "secret NONE in Doppler's p/dev"],
      [
        'ref+doppler://p/dev/PW',
        { ...DP, DOPPLER_TOKEN: 'x' },
        'was refused: Doppler answered with status 401: Invalid Auth token',
      ],
      ['ref+onepasswordconnect://None/Db#/password', OP, 'vault called "None"'],
      [`ref+onepasswordconnect://${VAULT}/${VAULT}#/x`, OP, 'there is no item'],
      [
        `ref+onepasswordconnect://a/b#/x`,
        { ...OP, OP_CONNECT_TOKEN: 'x' },
        'was refused: 1Password Connect answered with status 401: Invalid token',
      ],
      ['ref+azurekeyvault://mine/none', APP, 'secret none of mine.vault.azure.net'],
      [
        'ref+azurekeyvault://mine/pw',
        { ...APP, AZURE_CLIENT_SECRET: 'x' },
        'was refused: https://login.microsoftonline.com answered with status 401: AADSTS7000215',
      ],
    ])('%s fails, %j', async (reference, env, message) => {
      const failed = await get(process.execPath, [agent, 'get', reference], env).catch(
        (error: unknown) => error,
      );
      expect(failed).toMatchObject({ stderr: expect.stringContaining(here(message)) as string });
      // vals takes GitLab's errors for an empty variable.
      expect(await get(vals.path, ['get', reference], env).catch(() => '')).toBe('');
    });
  },
);
