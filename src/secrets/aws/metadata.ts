import { readFile } from 'node:fs/promises';
import type { AwsCredentials } from '../../core/aws-signature.ts';
import { isMap } from '../document.ts';
import type { HttpAnswer, HttpRequest } from '../http.ts';
import type { Surroundings } from '../provider.ts';
import { jsonOf } from '../refusal.ts';

/** Elsewhere than on EC2 nobody answers there: whoever has no other credentials waits this long. */
const TIMEOUT_MS = 1_000;

/**
 * The role's credentials from the instance metadata service, version 2; undefined where there is none (Amazon EC2 User
 * Guide, "Retrieve security credentials from instance metadata").
 */
export async function instanceCredentials(around: Surroundings): Promise<AwsCredentials | undefined> {
  const role = await metadata('iam/security-credentials/', around);
  if (role === undefined) return undefined;
  const answer = await metadata(
    `iam/security-credentials/${encodeURIComponent(role.split('\n')[0] ?? '')}`,
    around,
  );
  return answer === undefined ? undefined : credentialsIn(parse(answer));
}

/** The region that the instance is in. */
export async function instanceRegion(around: Surroundings): Promise<string | undefined> {
  return await metadata('placement/region', around);
}

/** The credentials of a container's task (ECS, EKS Pod Identity). */
export async function containerCredentials(around: Surroundings): Promise<AwsCredentials | undefined> {
  const {
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: full,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: token,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
  } = around.env;
  const address = relative ? `http://169.254.170.2${relative}` : full;
  if (!address) return undefined;
  const authorization = tokenFile ? (await readFile(tokenFile, 'utf8')).trim() : token;
  const answer = await around.fetch({
    url: new URL(address),
    ...(authorization && { headers: { authorization } }),
    timeoutMs: TIMEOUT_MS,
  });
  return answer.status === 200 ? credentialsIn(jsonOf(answer)) : undefined;
}

async function metadata(path: string, around: Surroundings): Promise<string | undefined> {
  const token = await metadataToken(around);
  if (token === undefined) return undefined;
  const answer = await ask(around, {
    url: new URL(`/latest/meta-data/${path}`, endpoint(around)),
    headers: { 'x-aws-ec2-metadata-token': token },
  });
  return answer?.status === 200 ? answer.body.toString('utf8').trim() : undefined;
}

function metadataToken(around: Surroundings): Promise<string | undefined> {
  return around.once(['aws metadata token'], async () => {
    if (around.env.AWS_EC2_METADATA_DISABLED === 'true') return undefined;
    const answer = await ask(around, {
      method: 'PUT',
      url: new URL('/latest/api/token', endpoint(around)),
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '300' },
    });
    return answer?.status === 200 ? answer.body.toString('utf8') : undefined;
  });
}

function endpoint({ env }: Surroundings): string {
  return env.AWS_EC2_METADATA_SERVICE_ENDPOINT ?? 'http://169.254.169.254';
}

/** Nobody there is an answer, too: this is no instance. */
async function ask(around: Surroundings, request: HttpRequest): Promise<HttpAnswer | undefined> {
  try {
    return await around.fetch({ ...request, once: true, timeoutMs: TIMEOUT_MS });
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function credentialsIn(json: unknown): AwsCredentials | undefined {
  if (!isMap(json)) return undefined;
  const { AccessKeyId: id, SecretAccessKey: secret, Token: token } = json;
  if (typeof id !== 'string' || typeof secret !== 'string') return undefined;
  return {
    accessKeyId: id,
    secretAccessKey: secret,
    ...(typeof token === 'string' && { sessionToken: token }),
  };
}
