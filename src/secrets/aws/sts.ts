import { type AwsCredentials, signAwsRequest } from '../../core/aws-signature.ts';
import { isMap } from '../document.ts';
import type { HttpAnswer } from '../http.ts';
import type { Surroundings } from '../provider.ts';
import { jsonOf, loginRefusal } from '../refusal.ts';
import { awsEndpoint } from './endpoint.ts';
import type { AwsAccess } from './credentials.ts';

const SESSION = 'ingot';

/** Temporary credentials of a role (AWS STS API, AssumeRole). */
export async function assumeRole(
  { region, credentials }: AwsAccess,
  { arn, externalId }: { readonly arn: string; readonly externalId?: string | undefined },
  around: Surroundings,
): Promise<AwsCredentials> {
  const { url, headers, body } = stsRequest(region, around, {
    Action: 'AssumeRole',
    RoleArn: arn,
    ...(externalId !== undefined && { ExternalId: externalId }),
  });
  const scope = { region, service: 'sts', now: around.now() };
  const signed = signAwsRequest({ method: 'POST', url, headers, body }, credentials, scope);
  return credentialsIn(await around.fetch({ url, headers: { ...headers, ...signed }, body }), arn);
}

/** Temporary credentials of a role for an OpenID token (AWS STS API, AssumeRoleWithWebIdentity); not signed. */
export async function assumeRoleWithWebIdentity(
  region: string,
  { arn, token }: { readonly arn: string; readonly token: string },
  around: Surroundings,
): Promise<AwsCredentials> {
  around.hide(token);
  const request = stsRequest(region, around, {
    Action: 'AssumeRoleWithWebIdentity',
    RoleArn: arn,
    WebIdentityToken: token,
  });
  return credentialsIn(await around.fetch(request), arn);
}

function stsRequest(region: string, around: Surroundings, fields: Readonly<Record<string, string>>) {
  return {
    url: awsEndpoint('sts', region, around.env),
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({ ...fields, RoleSessionName: SESSION, Version: '2011-06-15' }).toString(),
  };
}

/** Credentials in an answer, which is JSON where the service honors `accept`, and XML where it does not. */
function credentialsIn(answer: HttpAnswer, arn: string): AwsCredentials {
  if (answer.status !== 200) throw loginRefusal(answer, 'AWS STS', `the role ${arn}`);
  const text = answer.body.toString('utf8');
  const [id, secret, token] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map(
    (name) => findKey(jsonOf(answer), name) ?? new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1],
  );
  if (id === undefined || secret === undefined || token === undefined)
    throw loginRefusal(answer, 'AWS STS', `the role ${arn}`);
  return { accessKeyId: id, secretAccessKey: secret, sessionToken: token };
}

function findKey(json: unknown, name: string): string | undefined {
  if (!isMap(json)) return undefined;
  const own = json[name];
  if (typeof own === 'string') return own;
  return Object.values(json)
    .map((inner) => findKey(inner, name))
    .find((found) => found !== undefined);
}
