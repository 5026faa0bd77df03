import type * as http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { IngotError } from '../core/error.ts';
import { type Environment, hasProxy } from '../store/http/proxy-variables.ts';
import { type Agents, directWay, type Way } from './http-way.ts';

/** Whom to trust, and as whom to call. PEM texts. */
export interface Tls {
  /** Certificates to trust instead of the system's. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Takes any certificate. */
  readonly insecure?: boolean;
  /** Name that the server's certificate must have, when it is not the address's. */
  readonly servername?: string;
}

export interface HttpRequest {
  /** Default: GET, or POST with a body. */
  readonly method?: string;
  readonly url: URL;
  /** One with several values is sent once for each. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly tls?: Tls;
  /** Answers to ask again for, besides 429 and those of a server in trouble (500, 502, 503, 504). */
  readonly retryOn?: (answer: HttpAnswer) => boolean;
  /** Asks once: for services that are there at once or not at all, such as a cloud's metadata. */
  readonly once?: boolean;
  /** Of one attempt. */
  readonly timeoutMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Patience {
  /** Of one attempt. Default 10 s. */
  readonly attemptMs?: number;
  /** Of all attempts of one request. Default 20 s. */
  readonly deadlineMs?: number;
  /** Default 5; the boot agent has no limit but the deadline. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
  /** Whose proxies are used; without it none is. */
  readonly env?: Environment;
}

export type Fetch = (request: HttpRequest) => Promise<HttpAnswer>;

/** Secrets are short; a Terraform state may be large. */
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_REDIRECTS = 3;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
const TROUBLE = new Set([429, 500, 502, 503, 504]);

/** Network errors that pass. A wrong certificate does not. */
const PASSING = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNABORTED',
]);

/**
 * A client that keeps connections, asks again with growing pauses while a server is away or in trouble, and follows
 * redirects on the same host alone, so that no token goes elsewhere. Throws `secrets/unreachable` when time is up or the
 * connection can't be made; an answer, whatever its status, is returned.
 */
export function createFetch(patience: Patience = {}): Fetch {
  const agents: Agents = new Map();
  const { attemptMs = 10_000, deadlineMs = 20_000, attempts = 5, signal, env = {} } = patience;

  const wayByProxy = async (request: HttpRequest): Promise<Way | undefined> =>
    hasProxy(env) ? (await import('./http-proxy-way.ts')).wayByProxy(request, agents, env) : undefined;

  const ask = async (request: HttpRequest): Promise<HttpAnswer> => {
    let { url } = request;
    for (let hops = 0; ; hops++) {
      const one = { ...request, url };
      const way = (await wayByProxy(one)) ?? (await directWay(one, agents));
      const answer = await send(one, way, attemptMs, signal).catch((error: Error) => {
        throw way.proxy?.failed(error) ?? error;
      });
      if (way.proxy && answer.status === 407) throw way.proxy.refused();
      const { location } = answer.headers;
      if (
        ![301, 302, 307, 308].includes(answer.status) ||
        location === undefined ||
        request.body !== undefined
      )
        return answer;
      const next = resolveUrl(location, url);
      if (hops >= MOST_REDIRECTS || next?.origin !== url.origin) {
        throw unreachable(
          url,
          `it redirects to ${next?.origin ?? 'no address'}; only ${MOST_REDIRECTS} redirects on one host are followed`,
        );
      }
      url = next;
    }
  };

  return async (request) => {
    const end = Date.now() + deadlineMs;
    for (let attempt = 1; ; attempt++) {
      const outcome = await ask(request).catch((error: unknown) => error as Error);
      const again =
        outcome instanceof Error
          ? PASSING.has((outcome as NodeJS.ErrnoException).code ?? '')
          : TROUBLE.has(outcome.status) || request.retryOn?.(outcome) === true;
      const delay = pause(attempt, outcome);
      if (!again || request.once || attempt >= attempts || Date.now() + delay > end) {
        if (!(outcome instanceof Error)) return outcome;
        if (outcome instanceof IngotError) throw outcome;
        signal?.throwIfAborted();
        throw unreachable(request.url, reasonOf(outcome), outcome);
      }
      await sleep(delay, undefined, { ...(signal && { signal }) });
    }
  };
}

/** Milliseconds before the next attempt: doubled each time, or what the server asks for. */
function pause(attempt: number, outcome: Error | HttpAnswer): number {
  const wanted = outcome instanceof Error ? undefined : outcome.headers['retry-after'];
  if (wanted !== undefined && /^\d{1,4}$/.test(wanted)) return Number(wanted) * 1000;
  return Math.min(FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 20), LONGEST_DELAY_MS);
}

/** One request, one answer. */
function send(
  { method, url, headers, body, timeoutMs }: HttpRequest,
  way: Way,
  attemptMs: number,
  signal: AbortSignal | undefined,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const limit = timeoutMs ?? attemptMs;
    const request = way.client.request(
      way.address,
      {
        agent: way.agent,
        ...(way.path !== undefined && { path: way.path }),
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: {
          ...(headers as http.OutgoingHttpHeaders),
          ...way.headers,
          ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
        },
        ...(signal && { signal }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > MOST_BYTES) {
            request.destroy(unreachable(url, `it answers with more than ${MOST_BYTES} bytes`));
          } else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          clearTimeout(timer);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          });
        });
      },
    );
    const timer = setTimeout(() => {
      const error = new Error(`no answer within ${limit} ms`);
      request.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
    }, limit);
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end(body);
  });
}

function resolveUrl(location: string, base: URL): URL | undefined {
  try {
    return new URL(location, base);
  } catch {
    return undefined;
  }
}

/** What went wrong, also where Node tells it once for each address that it tried. */
function reasonOf(error: Error): string {
  const each = error instanceof AggregateError ? (error.errors as Error[]) : [];
  return error.message || each.map((e) => e.message).join('; ') || error.name;
}

function unreachable(url: URL, reason: string, cause?: Error): IngotError {
  return new IngotError('secrets/unreachable', `${url.origin} could not be asked: ${reason}`, {
    hint: 'Check the address, the network and, for https, the certificate authority that signed its certificate.',
    ...(cause && { cause }),
  });
}
