import { setTimeout as sleep } from 'node:timers/promises';
import { IngotError } from '../../core/error.ts';
import { fetch } from '../http/fetch.ts';
import { parseChallenges } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { apiHost } from './reference.ts';

export interface RegistryOptions {
  readonly host: string;
  readonly repository: string;
  /** Asked when the registry wants to know who we are. */
  readonly credentials: () => Promise<Credentials | undefined>;
  /** Speaks HTTP without TLS. Nothing but the user's word sets it. */
  readonly insecure?: boolean;
  readonly signal?: AbortSignal;
}

export interface RegistryRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for each attempt. */
  readonly body?: () => ReadableStream<Uint8Array> | Uint8Array | string;
  /** It is not to be sent twice: the caller begins anew. */
  readonly once?: boolean;
  /** Answers that are no failure, besides the 2xx. */
  readonly ok?: readonly number[];
}

const ATTEMPTS = 4;
/** A registry that says nothing for so long is taken for dead. */
const STALLED_MS = 60_000;
const MAX_TOKEN = 1024 * 1024;

/** Asks one repository of a registry: who we are, again after a broken connection, and in words when it says no. */
export class RegistrySession {
  readonly options: RegistryOptions;
  readonly #base: string;
  #authorization: string | undefined;

  constructor(options: RegistryOptions) {
    this.options = options;
    this.#base = `${options.insecure ? 'http' : 'https'}://${apiHost(options.host)}`;
  }

  /** For messages. */
  get location(): string {
    return `${this.options.host}/${this.options.repository}`;
  }

  /** An absolute address from one that may begin at the registry's root. */
  url(path: string): URL {
    return new URL(path, this.#base);
  }

  /**
   * Sends a request. What may be better the next time (a broken connection, 429, 5xx) is tried again, later and later.
   * Throws `store/unreachable`, `store/unauthorized`, `store/refused`.
   */
  async request(path: string, request: RegistryRequest = {}): Promise<Response> {
    const url = this.url(path);
    const attempts = request.once ? 1 : ATTEMPTS;
    for (let attempt = 1; ; attempt++) {
      this.options.signal?.throwIfAborted();
      let response: Response;
      try {
        response = await this.#authorized(url, request);
      } catch (error) {
        if (error instanceof IngotError) throw error;
        this.options.signal?.throwIfAborted();
        if (attempt === attempts) throw this.#unreachable(error);
        await this.#pause(attempt);
        continue;
      }
      if (response.ok || request.ok?.includes(response.status)) return response;
      const again = response.status === 429 || response.status >= 500;
      const message = await reasonOf(response);
      if (!again || attempt === attempts) throw this.#refused(url, response.status, message);
      await this.#pause(attempt, Number(response.headers.get('retry-after')));
    }
  }

  async #authorized(url: URL, request: RegistryRequest): Promise<Response> {
    const response = await this.#send(url, request);
    if (response.status !== 401) return response;
    const challenge = response.headers.get('www-authenticate') ?? '';
    await response.body?.cancel();
    this.#authorization = await this.#answer(
      challenge,
      request.method === undefined || request.method === 'HEAD',
    );
    return await this.#send(url, request);
  }

  async #send(url: URL, { method = 'GET', headers, body }: RegistryRequest): Promise<Response> {
    // Who we are is told to the registry itself, and not to where it sends us for content.
    const own = url.origin === new URL(this.#base).origin;
    const content = body?.();
    const init = {
      method,
      headers: { ...headers, ...(own && this.#authorization && { authorization: this.#authorization }) },
      ...(content !== undefined && { body: content, duplex: 'half' as const }),
      signal: this.#signal(),
    };
    return await fetch(url, init);
  }

  #signal(): AbortSignal {
    const patience = AbortSignal.timeout(STALLED_MS * 30);
    return this.options.signal ? AbortSignal.any([this.options.signal, patience]) : patience;
  }

  /** The header that answers a challenge. */
  async #answer(header: string, readOnly: boolean): Promise<string> {
    const challenges = parseChallenges(header);
    const credentials = await this.options.credentials();
    const bearer = challenges.find((c) => c.scheme === 'bearer' && c.parameters.realm);
    if (bearer) return `Bearer ${await this.#token(bearer.parameters, credentials, readOnly)}`;
    if (challenges.some((c) => c.scheme === 'basic') && credentials && 'username' in credentials)
      return basic(credentials);
    throw this.#unauthorized(
      credentials
        ? `it asks for ${challenges.map((c) => c.scheme).join(', ') || 'nothing we know'}`
        : 'it wants a login',
    );
  }

  /** A token of the registry's token service (distribution: "Token Authentication Specification"). */
  async #token(
    { realm = '', service, scope }: Readonly<Record<string, string>>,
    credentials: Credentials | undefined,
    readOnly: boolean,
  ): Promise<string> {
    const url = this.url(realm);
    if (url.protocol !== 'https:' && !this.options.insecure)
      throw this.#unauthorized(`its token service ${url.origin} is not asked over HTTPS`);
    const wanted = scope ?? `repository:${this.options.repository}:${readOnly ? 'pull' : 'pull,push'}`;
    const signal = this.#signal();
    let response: Response;
    if (credentials && 'identityToken' in credentials) {
      const form = { grant_type: 'refresh_token', refresh_token: credentials.identityToken, scope: wanted };
      const fields = { ...form, client_id: 'ingot', service: service ?? this.options.host };
      response = await fetch(url, { method: 'POST', body: new URLSearchParams(fields), signal });
    } else {
      if (service !== undefined) url.searchParams.set('service', service);
      url.searchParams.set('scope', wanted);
      response = await fetch(url, {
        headers: credentials ? { authorization: basic(credentials) } : {},
        signal,
      });
    }
    const text = (await response.text()).slice(0, MAX_TOKEN);
    if (response.status >= 500) throw new Error(`${url.host} answered ${response.status}`);
    if (!response.ok) throw this.#unauthorized(`its token service answered ${response.status}`);
    const answer = parseToken(text);
    if (answer === undefined) throw this.#unauthorized('its token service gave no token');
    return answer;
  }

  async #pause(attempt: number, seconds = Number.NaN): Promise<void> {
    const ms = seconds > 0 ? Math.min(seconds, 30) * 1000 : 250 * 4 ** (attempt - 1);
    await sleep(ms, undefined, this.options.signal ? { signal: this.options.signal } : {});
  }

  #unreachable(error: unknown): IngotError {
    return new IngotError('store/unreachable', `${this.location} could not be reached: ${causeOf(error)}`, {
      hint: 'Check the name and the network. A registry without TLS is used only where insecure = true says so.',
      cause: error,
    });
  }

  #unauthorized(why: string): IngotError {
    return new IngotError('store/unauthorized', `${this.location} does not let us in: ${why}`, {
      hint: `Run \`docker login ${this.options.host}\`, or put the registry into ~/.docker/config.json.`,
    });
  }

  #refused(url: URL, status: number, message: string): IngotError {
    if (status === 401 || status === 403) return this.#unauthorized(message || `it answered ${status}`);
    if (status === 404)
      return new IngotError(
        'store/not-found',
        `${this.location} has no ${url.pathname.split('/').slice(-2).join('/')}`,
        {
          hint: 'Check repository and tag; a registry may also say so where a login is missing.',
        },
      );
    return new IngotError(
      'store/refused',
      `${this.location} answered ${status}${message && `: ${message}`}`,
      {
        hint: "The registry's own log says more.",
      },
    );
  }
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function parseToken(text: string): string | undefined {
  try {
    const { token, access_token: access } = JSON.parse(text) as Record<string, unknown>;
    const found = token ?? access;
    return typeof found === 'string' && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** The first of a registry's error messages (distribution-spec, "Error Codes"). */
async function reasonOf(response: Response): Promise<string> {
  const text = (await response.text().catch(() => '')).slice(0, 4096);
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: string; message?: string }[] };
    return errors?.[0]?.message ?? errors?.[0]?.code ?? '';
  } catch {
    return '';
  }
}

/** Says what lies below undici's "fetch failed". */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors.length > 0) return causeOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : error.message;
}
