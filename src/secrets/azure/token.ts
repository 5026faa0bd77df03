import { readCredential } from '../credential-file.ts';
import type { Surroundings } from '../provider.ts';
import { answerObject, jsonOf, loginRefusal, notConfigured } from '../refusal.ts';
import { isMap } from '../document.ts';
import { serviceUrl } from '../service-url.ts';

/** Elsewhere than on Azure nobody answers there. */
const METADATA_TIMEOUT_MS = 1_000;

/** What a token is for. */
export interface AzureAudience {
  /** `https://vault.azure.net` */
  readonly resource: string;
  /** Whose users are asked for it; default: those of the credentials. Only Azure's tools have those of several. */
  readonly tenant?: string;
}

/**
 * An access token, by what AZKV_AUTH chooses, or else the first that is configured: a service principal's secret or
 * certificate, workload identity, managed identity, the Azure CLI, the Azure Developer CLI (Microsoft identity platform,
 * OAuth 2.0 client credentials flow; Azure Instance Metadata Service). Throws `secrets/not-configured`.
 */
export function azureToken(audience: AzureAudience, around: Surroundings): Promise<string> {
  return around.once(['azure token', audience.resource, audience.tenant], async () => {
    const token = await tokenBy(around.env.AZKV_AUTH || 'default', audience, around);
    around.hide(token);
    return token;
  });
}

async function tokenBy(method: string, audience: AzureAudience, around: Surroundings): Promise<string> {
  const { resource } = audience;
  const ways: Record<string, () => Promise<string | undefined>> = {
    environment: async () =>
      (await byClientSecret(resource, around)) ?? (await byCertificate(resource, around)),
    workload: () => byWorkloadIdentity(resource, around),
    // As in vals, a machine that is chosen has its own identity; the default may be told which of several.
    managed: () => byManagedIdentity(resource, around, method === 'default'),
    cli: () => byCli(audience, around),
    devcli: () => byDeveloperCli(audience, around),
  };
  if (method !== 'default' && !Object.hasOwn(ways, method)) {
    const known = 'Use default, workload, managed, cli or devcli.';
    throw notConfigured('Azure', `AZKV_AUTH is ${JSON.stringify(method)}`, known);
  }
  for (const name of method === 'default' ? Object.keys(ways) : [method]) {
    const token = await ways[name]?.();
    if (token !== undefined) return token;
  }
  throw notConfigured(
    'Azure',
    'no credentials were found',
    'Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, give the machine an identity, or run `az login`.',
  );
}

async function byClientSecret(resource: string, around: Surroundings): Promise<string | undefined> {
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: id, AZURE_CLIENT_SECRET: secret } = around.env;
  if (!tenant || !id || !secret) return undefined;
  around.hide(secret);
  return await exchange(tenant, { client_id: id, client_secret: secret }, resource, around);
}

async function byCertificate(resource: string, around: Surroundings): Promise<string | undefined> {
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: id, AZURE_CLIENT_CERTIFICATE_PATH: path } = around.env;
  if (!tenant || !id || !path) return undefined;
  const { certificateAssertion } = await import('./certificate.ts');
  const audience = tokenUrl(tenant, around).href;
  const assertion = await certificateAssertion(path, { client: id, audience }, around);
  return await exchange(tenant, asserted(id, assertion), resource, around);
}

/** What an application that proves itself sends (RFC 7521, 4.2). */
function asserted(id: string, assertion: string): Record<string, string> {
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  return { client_id: id, client_assertion: assertion, client_assertion_type: type };
}

async function byWorkloadIdentity(resource: string, around: Surroundings): Promise<string | undefined> {
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: id, AZURE_FEDERATED_TOKEN_FILE: file } = around.env;
  if (!tenant || !id || !file) return undefined;
  const assertion = await readCredential('Azure', file, 'AZURE_FEDERATED_TOKEN_FILE');
  around.hide(assertion);
  return await exchange(tenant, asserted(id, assertion), resource, around);
}

function tokenUrl(tenant: string, around: Surroundings): URL {
  const authority = around.env.AZURE_AUTHORITY_HOST || 'https://login.microsoftonline.com';
  const url = serviceUrl('Azure', authority, 'AZURE_AUTHORITY_HOST');
  url.pathname = `/${encodeURIComponent(tenant)}/oauth2/v2.0/token`;
  return url;
}

async function exchange(
  tenant: string,
  fields: Readonly<Record<string, string>>,
  resource: string,
  around: Surroundings,
): Promise<string> {
  const url = tokenUrl(tenant, around);
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    scope: `${resource}/.default`,
    ...fields,
  });
  const answer = await around.fetch({
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
  });
  return accessToken(answerObject(answer, url.origin, `the login for ${resource}`, loginRefusal));
}

/** The identity of the machine, by the Instance Metadata Service, or of an app, by its own endpoint. */
async function byManagedIdentity(
  resource: string,
  around: Surroundings,
  mayChoose: boolean,
): Promise<string | undefined> {
  const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header, AZURE_CLIENT_ID: id } = around.env;
  const inApp = endpoint !== undefined && header !== undefined;
  const url = inApp
    ? serviceUrl('Azure', endpoint, 'IDENTITY_ENDPOINT')
    : new URL('http://169.254.169.254/metadata/identity/oauth2/token');
  url.searchParams.set('api-version', inApp ? '2019-08-01' : '2018-02-01');
  url.searchParams.set('resource', resource);
  if (id && mayChoose) url.searchParams.set('client_id', id);
  const headers: Record<string, string> = inApp ? { 'x-identity-header': header } : { metadata: 'true' };
  const answer = await around
    .fetch({ url, headers, once: true, timeoutMs: METADATA_TIMEOUT_MS })
    .catch(() => undefined);
  if (answer?.status !== 200 || !isMap(jsonOf(answer))) return undefined;
  return accessToken(answerObject(answer, 'the metadata service', `the login for ${resource}`, loginRefusal));
}

async function byCli({ resource, tenant }: AzureAudience, around: Surroundings): Promise<string | undefined> {
  const args = ['account', 'get-access-token', '--output', 'json', '--resource', resource];
  const { accessToken: token } = await run('az', [...args, ...(tenant ? ['--tenant', tenant] : [])], around);
  return token;
}

async function byDeveloperCli(
  { resource, tenant }: AzureAudience,
  around: Surroundings,
): Promise<string | undefined> {
  const args = ['auth', 'token', '--output', 'json', '--no-prompt', '--scope', `${resource}/.default`];
  const { token } = await run('azd', [...args, ...(tenant ? ['--tenant-id', tenant] : [])], around);
  return token;
}

/** What a tool prints; nothing where it is not there, or nobody has logged in with it. */
async function run(
  tool: string,
  args: readonly string[],
  around: Surroundings,
): Promise<Record<string, string | undefined>> {
  const result = await around.run(tool, args, { env: {}, timeoutMs: 30_000 }).catch(() => undefined);
  return result?.exitCode === 0 ? (JSON.parse(result.stdout) as Record<string, string>) : {};
}

function accessToken({ access_token: token }: Record<string, unknown>): string {
  if (typeof token === 'string' && token !== '') return token;
  throw notConfigured('Azure', 'the answer has no token', 'Check the credentials.');
}
