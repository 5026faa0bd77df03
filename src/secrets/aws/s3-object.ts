import { createHash } from 'node:crypto';
import { signAwsRequest } from '../../core/aws-signature.ts';
import type { Surroundings } from '../provider.ts';
import { refusal } from '../refusal.ts';
import { awsAccess, type AwsParams } from './credentials.ts';
import { awsEndpoint } from './endpoint.ts';

export interface S3Object {
  readonly bucket: string;
  readonly key: string;
  readonly version?: string;
}

const EMPTY_SHA256 = createHash('sha256').digest('hex');

/** An object's content (Amazon S3 API, GetObject), by path-style address where the endpoint is configured. */
export async function s3Object(
  params: AwsParams,
  { bucket, key, version }: S3Object,
  around: Surroundings,
): Promise<Buffer> {
  const { region, credentials } = await awsAccess(params, around);
  const endpoint = awsEndpoint('s3', region, around.env);
  // A certificate for *.s3.amazonaws.com covers no bucket with a dot.
  const inHost = endpoint.hostname.endsWith('.amazonaws.com') && !bucket.includes('.');
  const host = inHost ? `${bucket}.${endpoint.host}` : endpoint.host;
  const parts = [...(inHost ? [] : [bucket]), ...key.split('/')].map(encodePart);
  const url = new URL(`${endpoint.protocol}//${host}/`);
  url.pathname = `/${parts.join('/')}`;
  if (version !== undefined) url.searchParams.set('versionId', version);
  const headers = { 'x-amz-content-sha256': EMPTY_SHA256 };
  const scope = { region, service: 's3', now: around.now() };
  const signed = signAwsRequest({ method: 'GET', url, headers, body: '' }, credentials, scope);
  const answer = await around.fetch({ url, headers: { ...headers, ...signed } });
  if (answer.status === 200) return answer.body;
  throw refusal(answer, 'Amazon S3', `object ${key} of bucket ${bucket}`);
}

/** As S3 signs it: everything encoded but the letters, digits and `-._~` of RFC 3986. */
function encodePart(part: string): string {
  return encodeURIComponent(part).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
