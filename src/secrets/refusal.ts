import { IngotError } from '../core/error.ts';
import { isMap } from './document.ts';
import type { HttpAnswer } from './http.ts';

/** The JSON of an answer; undefined where it has none. */
export function jsonOf({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** There is no such secret: a `default` may take its place. */
export function notFound(what: string, hint?: string): IngotError {
  return new IngotError('secrets/not-found', `there is no ${what}`, {
    hint:
      hint ??
      'Check the path, or add ?default=… to the reference, before its #, where the value may be missing.',
  });
}

/** What is missing in the environment or in the reference. */
export function notConfigured(backend: string, message: string, hint: string): IngotError {
  return new IngotError('secrets/not-configured', `${backend}: ${message}`, { hint });
}

/** Why a service did not give what it was asked for: `secrets/not-found`, `secrets/denied` or `secrets/bad-answer`. */
export function refusal(answer: HttpAnswer, service: string, what: string): IngotError {
  const { status } = answer;
  const told = toldBy(answer, service);
  if (status === 404) return notFound(`${what}: ${told}`);
  if (status === 401 || status === 403) return denied(what, told);
  return new IngotError('secrets/bad-answer', `${what} could not be read: ${told}`, {
    hint: status >= 500 ? 'The service is in trouble; it was asked several times.' : 'Check the reference.',
  });
}

/**
 * As `refusal`, of an API that answers in JSON objects. A 404 that is none is of some other server, or of another path: nothing
 * is known to be missing, and no `default` stands for it.
 */
export function apiRefusal(answer: HttpAnswer, service: string, what: string): IngotError {
  if (answer.status !== 404 || isMap(jsonOf(answer))) return refusal(answer, service, what);
  const told = `${what} could not be read: ${service} answered with status 404, and not as its API does`;
  return new IngotError('secrets/bad-answer', told, { hint: 'Check the address of the server.' });
}

/**
 * Why what comes before the secret, a login or a key, was not to be had. Never `secrets/not-found`, for which a `default`
 * would stand. Credentials that are wrong are 400 in OAuth (RFC 6749, 5.2) and in Vault, a login that is not there is 404.
 */
export function loginRefusal(answer: HttpAnswer, service: string, what: string): IngotError {
  const { status } = answer;
  return status >= 400 && status < 500 && status !== 429
    ? denied(what, toldBy(answer, service))
    : refusal(answer, service, what);
}

function denied(what: string, told: string): IngotError {
  return new IngotError('secrets/denied', `${what} was refused: ${told}`, {
    hint: 'Check that the credentials are valid and may read it; an expired token is refused this way, too.',
  });
}

function toldBy(answer: HttpAnswer, service: string): string {
  const said = saidBy(answer);
  return `${service} answered with status ${answer.status}${said === '' ? '' : `: ${said}`}`;
}

/** The JSON object of a good answer. Throws what `apiRefusal`, or `why`, says for any other. */
export function answerObject(
  answer: HttpAnswer,
  service: string,
  what: string,
  why = apiRefusal,
): Record<string, unknown> {
  const json = answer.status === 200 ? jsonOf(answer) : undefined;
  if (isMap(json)) return json;
  throw why(answer, service, what);
}

/** What services say of their errors, each in its own words. Never the body as such: it may hold a secret. */
function saidBy(answer: HttpAnswer): string {
  const json = jsonOf(answer);
  const inner = isMap(json) && isMap(json.error) ? json.error : json;
  if (!isMap(inner)) {
    return /<Message>([^<]{1,200})<\/Message>/.exec(answer.body.toString('utf8', 0, 4096))?.[1] ?? '';
  }
  const words = [
    inner.errors,
    inner.messages,
    inner.message,
    inner.Message,
    inner.error_description,
    inner.error,
    inner.__type,
  ]
    .flat()
    .filter((word) => typeof word === 'string' && word !== '');
  return words.join('; ').replace(/\s+/g, ' ').slice(0, 300);
}
