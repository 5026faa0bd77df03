import { readFileSync } from 'node:fs';
import { askNow, type Answer, type Question } from './ask.ts';
import { FunctionError } from './function.ts';

/** Where functions that ask services find them, and what they were told. */
export interface Services {
  /** VAULT_*, CONSUL_*, AWS_*. */
  readonly env: NodeJS.ProcessEnv;
  /** What is not configured: an error, or, while validating, not known. */
  readonly unconfigured: 'error' | 'unknown';
  /** Every question is asked once in a run, so that all of a template sees one answer. */
  readonly answers: Map<string, string>;
  /** Told every secret that a service gave, by the name that marks it. */
  readonly onSecret: (name: string, text: string) => void;
  readonly ask?: (question: Question) => Answer;
}

/** No service is configured, and what needs one fails. */
export function noServices(): Services {
  return { env: {}, unconfigured: 'error', answers: new Map(), onSecret: () => {} };
}

/** What a service says; undefined where it is not configured and needs not be. Throws FunctionError. */
export type ServiceCall = (services: Services, args: readonly string[]) => string | undefined;

/** A secret of Vault's key-value engine, version 1 or 2: `vault("secret/data/hello", "foo")`. */
export const askVault: ServiceCall = (services, [path = '', key = '']) => {
  const { env } = services;
  if (!env.VAULT_TOKEN) return unconfigured(services, 'Set VAULT_TOKEN and VAULT_ADDR.');
  const name = `vault(${JSON.stringify(path)}, ${JSON.stringify(key)})`;
  return once(services, name, () => {
    const base = serviceUrl(env.VAULT_ADDR ?? 'https://127.0.0.1:8200', 'VAULT_ADDR');
    const answer = (services.ask ?? askNow)({
      url: below(base, 'v1', path),
      headers: {
        'X-Vault-Token': env.VAULT_TOKEN as string,
        'X-Vault-Request': 'true',
        ...(env.VAULT_NAMESPACE && { 'X-Vault-Namespace': env.VAULT_NAMESPACE }),
      },
      ...trust(env.VAULT_CACERT, 'VAULT_CACERT', isTrue(env.VAULT_SKIP_VERIFY)),
    });
    if (answer.status === 404) throw new FunctionError(`Vault has no secret at ${JSON.stringify(path)}`, 0);
    const secret = field(readAnswer(answer, 'Vault'), 'data');
    // Version 2 wraps what was stored in one more "data".
    const inner = field(secret, 'data');
    const stored = typeof inner === 'object' && inner !== null ? inner : secret;
    const value = field(stored, key);
    if (typeof value === 'string') return value;
    const what = value === undefined ? 'no key' : 'no text under the key';
    throw new FunctionError(`the secret at ${JSON.stringify(path)} has ${what} ${JSON.stringify(key)}`, 1);
  });
};

/** A value of Consul's key-value store. */
export const askConsul: ServiceCall = (services, [key = '']) => {
  const { env } = services;
  if (!env.CONSUL_HTTP_ADDR)
    return unconfigured(services, 'Set CONSUL_HTTP_ADDR, and CONSUL_HTTP_TOKEN if needed.');
  return once(services, `consul_key(${JSON.stringify(key)})`, () => {
    const scheme = isTrue(env.CONSUL_HTTP_SSL) ? 'https' : 'http';
    const address = env.CONSUL_HTTP_ADDR as string;
    const base = serviceUrl(address.includes('://') ? address : `${scheme}://${address}`, 'CONSUL_HTTP_ADDR');
    const url = below(base, 'v1/kv', key);
    if (env.CONSUL_NAMESPACE) url.searchParams.set('ns', env.CONSUL_NAMESPACE);
    const auth = env.CONSUL_HTTP_AUTH && Buffer.from(env.CONSUL_HTTP_AUTH).toString('base64');
    const answer = (services.ask ?? askNow)({
      url,
      headers: {
        ...(env.CONSUL_HTTP_TOKEN && { 'X-Consul-Token': env.CONSUL_HTTP_TOKEN }),
        ...(auth && { Authorization: `Basic ${auth}` }),
      },
      ...trust(env.CONSUL_CACERT, 'CONSUL_CACERT', env.CONSUL_HTTP_SSL_VERIFY === 'false'),
    });
    if (answer.status === 404) throw new FunctionError(`Consul has no key ${JSON.stringify(key)}`, 0);
    const entries = readAnswer(answer, 'Consul');
    const value = Array.isArray(entries) ? field(entries[0], 'Value') : undefined;
    if (typeof value === 'string' && value !== '') return Buffer.from(value, 'base64').toString('utf8');
    throw new FunctionError(`Consul's key ${JSON.stringify(key)} has no value`, 0);
  });
};

/** Where a service is not configured: an error that says how, or not known. */
export function unconfigured({ unconfigured }: Services, hint: string): undefined {
  if (unconfigured === 'error') throw new FunctionError(`the service is not configured. ${hint}`);
}

/** Asks a question unless it was asked before. */
export function once({ answers }: Services, name: string, ask: () => string): string {
  const known = answers.get(name) ?? ask();
  answers.set(name, known);
  return known;
}

/** Reads the address of a service; `from` names where it was given. */
export function serviceUrl(text: string, from: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new FunctionError(
    `${from} must be an address such as https://host:8200; got ${JSON.stringify(text)}`,
  );
}

/** `path` below the service's address; its parts can't lead out of `root` or add a query. */
function below(base: URL, root: string, path: string): URL {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0 || parts.some((part) => part === '.' || part === '..'))
    throw new FunctionError(`${JSON.stringify(path)} is no path of a key`, 0);
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${root}/${parts.map(encodeURIComponent).join('/')}`;
  return url;
}

function trust(file: string | undefined, name: string, insecure: boolean): Pick<Question, 'ca' | 'insecure'> {
  if (!file) return { insecure };
  try {
    return { ca: readFileSync(file, 'utf8'), insecure };
  } catch (error) {
    throw new FunctionError(`${name}: ${file} can't be read: ${(error as Error).message}`);
  }
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(?:1|t|true)$/i.test(text);
}

/** The JSON that a service answered. */
export function readAnswer({ status, body }: Answer, service: string): unknown {
  let read: unknown;
  try {
    read = JSON.parse(body);
  } catch {
    read = undefined;
  }
  if (status === 200 && read !== undefined) return read;
  const errors = field(read, 'errors');
  const message = field(read, 'message') ?? field(read, 'Message');
  const said = Array.isArray(errors)
    ? errors.join('; ')
    : typeof message === 'string'
      ? message
      : status === 200
        ? 'no JSON'
        : body.slice(0, 200).trim();
  throw new FunctionError(`${service} answered with status ${status}${said === '' ? '' : `: ${said}`}`);
}

/** A field of what was read, if that is an object and has it. */
export function field(value: unknown, name: string): unknown {
  const isRecord = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
  return isRecord ? (value as Record<string, unknown>)[name] : undefined;
}
