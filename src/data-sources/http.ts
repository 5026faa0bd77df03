import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import type { DataSource } from '../core/plugin.ts';
import { fetch } from '../store/http/fetch.ts';

/** A template wants a few lines from a server, not a disk image. */
const MAX_BYTES = 10 * 1024 * 1024;
const MAX_REDIRECTS = 10;
const TIMEOUT_MS = 30_000;
const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'] as const;

/** Packer's keys: developer.hashicorp.com/packer/docs/datasources/http. */
const httpSpec = bodySpec(
  {
    url: attr.string('Address to ask; http or https.', { required: true }),
    method: attr.string('Method of the request.', { default: 'GET', oneOf: METHODS }),
    request_headers: attr.stringMap('Headers to send.', { default: {} }),
    request_body: attr.string('Body to send.'),
  },
  {},
  (o): OptionProblem[] =>
    addressOf(o.url) ? [] : [{ path: ['url'], message: `expected an http or https address; got "${o.url}"` }],
);

type HttpOptions = OptionsOf<typeof httpSpec>;

/** `data "http"`: asks a web server once. Only an answer with status 200 counts. */
export const httpData: DataSource<HttpOptions> = {
  type: 'http',
  version: 1,
  schema: async () => httpSpec,

  async read(options, ctx) {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const signal = AbortSignal.any([ctx.signal, timeout]);
    try {
      const response = await request(options, signal);
      if (response.status !== 200) throw failed(options.url, `answered with status ${response.status}`);
      const headers: Record<string, string> = {};
      for (const [name, value] of response.headers) headers[canonical(name)] = value;
      return { url: options.url, body: await readBody(response, options.url), response_headers: headers };
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (error instanceof IngotError) throw error;
      if (timeout.aborted) throw failed(options.url, `did not answer within ${TIMEOUT_MS / 1000} s`, error);
      throw failed(options.url, `could not be asked: ${reasonOf(error)}`, error);
    }
  },
};

/** Redirects are followed by hand: only to http and https, and without the headers once the server is another. */
async function request(options: HttpOptions, signal: Context['signal']): Promise<Response> {
  let url = new URL(options.url);
  let headers = options.request_headers;
  let { method } = options;
  let body = options.request_body;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      signal,
      ...(body !== undefined && method !== 'GET' && method !== 'HEAD' && { body }),
    });
    const location = response.headers.get('location');
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response;
    await response.body?.cancel();
    const next = addressOf(location, url);
    if (!next) throw failed(options.url, `redirects to "${location}", which is neither http nor https`);
    if (next.origin !== url.origin) headers = {};
    if (response.status < 307 && method !== 'GET' && method !== 'HEAD') {
      method = 'GET';
      body = undefined;
    }
    url = next;
  }
  throw failed(options.url, `redirects more than ${MAX_REDIRECTS} times`);
}

async function readBody(response: Response, url: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > MAX_BYTES) throw failed(url, `answers with more than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}

function addressOf(text: string, base?: URL): URL | undefined {
  const url = URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
  return url && (url.protocol === 'http:' || url.protocol === 'https:') ? url : undefined;
}

/** `content-type` as Go writes it: `Content-Type`. */
function canonical(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (part) => part.toUpperCase());
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}

function failed(url: string, what: string, cause?: unknown): IngotError {
  return new IngotError('data-source/http', `${url} ${what}`, {
    hint: 'Is the address right, and can this machine reach it?',
    cause,
  });
}
