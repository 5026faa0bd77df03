import { createHash, createHmac } from 'node:crypto';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface AwsRequest {
  readonly method: string;
  readonly url: URL;
  /** Signed with the rest; names in any case. `host` follows from the address. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface AwsScope {
  /** `eu-central-1` */
  readonly region: string;
  /** As it stands in the service's host name: `secretsmanager`. */
  readonly service: string;
  readonly now: Date;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/**
 * The headers that sign a request, besides those that it has: `authorization`, `x-amz-date` and, for temporary
 * credentials, `x-amz-security-token` (AWS General Reference, Signature Version 4 signing process). The path must be
 * one that needs no second encoding, as those of all services but S3's do not have.
 */
export function signAwsRequest(
  request: AwsRequest,
  credentials: AwsCredentials,
  { region, service, now }: AwsScope,
): Record<string, string> {
  const date = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const added = {
    'x-amz-date': date,
    ...(credentials.sessionToken !== undefined && { 'x-amz-security-token': credentials.sessionToken }),
  };
  const headers = Object.entries({ host: request.url.host, ...request.headers, ...added })
    .map(([name, value]) => [name.toLowerCase(), value.trim().replace(/\s+/g, ' ')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const signed = headers.map(([name]) => name).join(';');
  const canonical = [
    request.method,
    request.url.pathname,
    canonicalQuery(request.url.searchParams),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    signed,
    sha256(request.body),
  ].join('\n');
  const day = date.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = [ALGORITHM, date, scope, sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (above, part) => hmac(above, part).digest(),
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = hmac(key, toSign).digest('hex');
  const credential = `${credentials.accessKeyId}/${scope}`;
  return {
    ...added,
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${signed}, Signature=${signature}`,
  };
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
}

/** As RFC 3986 has it: encodeURIComponent leaves five characters that must be encoded too. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string) {
  return createHmac('sha256', key).update(text);
}
