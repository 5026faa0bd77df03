import { createSign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isMap } from '../document.ts';
import type { Surroundings } from '../provider.ts';
import { answerObject, loginRefusal, notConfigured } from '../refusal.ts';
import { serviceUrl } from '../service-url.ts';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const TOKEN_URI = 'https://oauth2.googleapis.com/token';
/** Elsewhere than on Google Cloud nobody answers there. */
const METADATA_TIMEOUT_MS = 1_000;

/** What opens Google's APIs. */
export interface GoogleAccess {
  readonly token: string;
  /** The project that calls count for, where the credentials name one. */
  readonly quotaProject?: string;
}

/**
 * Access by Application Default Credentials: the file that GOOGLE_APPLICATION_CREDENTIALS names, gcloud's own,
 * or the machine's service account (Google Cloud documentation, "How Application Default Credentials works").
 * Throws `secrets/not-configured`.
 */
export function googleAccess(around: Surroundings): Promise<GoogleAccess> {
  return around.once(['google token'], async () => {
    const named = around.env.GOOGLE_APPLICATION_CREDENTIALS;
    const config = around.env.CLOUDSDK_CONFIG ?? join(around.env.HOME || homedir(), '.config/gcloud');
    const path = named || join(config, 'application_default_credentials.json');
    const file = await readCredentials(path, named !== undefined && named !== '');
    const token = file === undefined ? await metadataToken(around) : await tokenOf(file, path, around);
    around.hide(token);
    const quotaProject = file?.quota_project_id;
    return { token, ...(typeof quotaProject === 'string' && { quotaProject }) };
  });
}

type Credentials = Readonly<Record<string, unknown>>;

async function readCredentials(path: string, isNamed: boolean): Promise<Credentials | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (!isNamed) return undefined;
    const hint = 'Correct GOOGLE_APPLICATION_CREDENTIALS.';
    throw notConfigured('Google Cloud', `${path} can't be read: ${(cause as Error).message}`, hint);
  }
  try {
    const json: unknown = JSON.parse(text);
    if (isMap(json)) return json;
  } catch {
    // told below; the parser's own words would show the file's text
  }
  throw notConfigured('Google Cloud', `${path} is no JSON object`, 'Name a file of credentials.');
}

async function tokenOf(file: Credentials, path: string, around: Surroundings): Promise<string> {
  const { type, client_email: email, private_key: key, token_uri: uri } = file;
  const address = serviceUrl(
    'Google Cloud',
    typeof uri === 'string' ? uri : TOKEN_URI,
    `token_uri of ${path}`,
  );
  if (type === 'service_account' && typeof email === 'string' && typeof key === 'string') {
    const assertion = signedAssertion({ email, key, audience: address.href }, around.now());
    const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    return await exchange(address, { grant_type: grant, assertion }, around);
  }
  const { client_id: id, client_secret: secret, refresh_token: refresh } = file;
  if (type === 'authorized_user' && [id, secret, refresh].every((part) => typeof part === 'string')) {
    const fields = { client_id: id, client_secret: secret, refresh_token: refresh } as Record<string, string>;
    return await exchange(address, { grant_type: 'refresh_token', ...fields }, around);
  }
  throw notConfigured(
    'Google Cloud',
    `${path} has credentials of the type ${JSON.stringify(type)}`,
    'Use those of a service account (service_account) or of a user (authorized_user).',
  );
}

/** A token request signed by the service account (RFC 7523; RS256 of RFC 7518). */
function signedAssertion(
  { email, key, audience }: { readonly email: string; readonly key: string; readonly audience: string },
  now: Date,
): string {
  const issued = Math.floor(now.getTime() / 1000);
  const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');
  const claims = { iss: email, scope: SCOPE, aud: audience, iat: issued, exp: issued + 3600 };
  const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`;
}

async function exchange(
  url: URL,
  fields: Readonly<Record<string, string>>,
  around: Surroundings,
): Promise<string> {
  const answer = await around.fetch({
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });
  return accessToken(answerObject(answer, url.origin, 'the login to Google Cloud', loginRefusal));
}

/** The token of the machine's service account, from the metadata server. */
async function metadataToken(around: Surroundings): Promise<string> {
  const host = around.env.GCE_METADATA_HOST || 'metadata.google.internal';
  const url = new URL(`http://${host}/computeMetadata/v1/instance/service-accounts/default/token`);
  const answer = await around
    .fetch({ url, headers: { 'metadata-flavor': 'Google' }, once: true, timeoutMs: METADATA_TIMEOUT_MS })
    .catch(() => undefined);
  // It answers 404 where the machine has no service account.
  if (answer && answer.status !== 404)
    return accessToken(
      answerObject(answer, 'the metadata server', 'the login to Google Cloud', loginRefusal),
    );
  throw notConfigured(
    'Google Cloud',
    'no credentials were found',
    'Set GOOGLE_APPLICATION_CREDENTIALS, run `gcloud auth application-default login`, or give the machine a service account.',
  );
}

function accessToken({ access_token: token }: Record<string, unknown>): string {
  if (typeof token === 'string' && token !== '') return token;
  throw notConfigured('Google Cloud', 'the answer has no token', 'Check the credentials.');
}
