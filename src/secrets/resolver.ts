import { IngotError } from '../core/error.ts';
import { isMap } from './document.ts';
import { pick } from './fragment.ts';
import { createFetch, type Patience } from './http.ts';
import type { Request, RunCommand, Surroundings } from './provider.ts';
import { findProvider } from './providers.ts';
import { describeReference, type Reference } from './reference.ts';
import { notFound } from './refusal.ts';

export interface ResolverOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly patience?: Patience;
  /** For `ref+exec://`; without it such references are refused. */
  readonly run?: RunCommand;
  readonly now?: () => Date;
  /** A key that a map does not have is nothing, instead of an error. */
  readonly missingKeys?: boolean;
  /** Told every secret text as soon as it is known, so that nothing shows it. */
  readonly onSecret?: (text: string) => void;
}

/** Answers references; what one of them fetched, the others share. */
export interface Resolver {
  lookup(reference: Reference): Promise<unknown>;
}

/** Opens a resolver for one run. */
export function createResolver(options: ResolverOptions): Resolver {
  const made = new Map<string, Promise<unknown>>();
  const hide = options.onSecret ?? (() => {});
  const around: Surroundings = {
    env: options.env,
    fetch: createFetch({ ...options.patience, env: options.env }),
    run: options.run ?? refuseCommand,
    now: options.now ?? (() => new Date()),
    once<T>(key: readonly unknown[], make: () => Promise<T>): Promise<T> {
      const name = JSON.stringify(key);
      const known = made.get(name) ?? make();
      made.set(name, known);
      return known as Promise<T>;
    },
    hide,
  };
  return {
    lookup: (reference) =>
      around.once(['reference', reference.text], async () => {
        const value = await answer(reference, around, options.missingKeys === true);
        for (const text of textsIn(value)) hide(text);
        return value;
      }),
  };
}

async function answer(reference: Reference, around: Surroundings, missingKeys: boolean): Promise<unknown> {
  const provider = await findProvider(reference.backend);
  const request = requestOf(reference, around);
  const fallback = reference.params.get('default');
  try {
    // Parameters in a fixed order: references to one path share its request, whatever their fragment or default is.
    const params = [...reference.params].filter(([name]) => name !== 'default').sort(byName);
    const place = [reference.backend, reference.host, reference.urlPath, params];
    const text = (): Promise<string> => around.once(['text', ...place], () => provider.text(request, around));
    if (provider.ownFragment) return await provider.text(request, around);
    if (reference.fragment === '') return await text();
    const shown = describeReference(reference.text);
    const document = await around.once(['document', ...place], async () => {
      if (provider.document) return await provider.document(request, around);
      const { readYaml } = await import('./read-yaml.ts');
      return readYaml(await text(), shown);
    });
    const picked = pick(document, reference.fragment, shown);
    if (picked.found) return picked.value;
    if (fallback === undefined && missingKeys) return null;
    throw notFound(`key ${JSON.stringify(reference.fragment)} in ${shown}`, hintOf(document));
  } catch (error) {
    if (fallback !== undefined && error instanceof IngotError && error.code === 'secrets/not-found')
      return fallback;
    throw error;
  }
}

/** The keys that there are: names, no values. */
function hintOf(document: unknown): string | undefined {
  if (!isMap(document)) return undefined;
  const keys = Object.keys(document).sort();
  return keys.length === 0 ? 'The map is empty.' : `The secret has ${keys.slice(0, 20).join(', ')}.`;
}

function requestOf(reference: Reference, { env }: Surroundings): Request {
  return {
    ...reference,
    param: (name) => reference.params.get(name) ?? (env[`VALS_${name.toUpperCase()}`] || undefined),
  };
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

/** Texts of a value that was fetched. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isMap(value) ? Object.values(value).flatMap(textsIn) : [];
}

const refuseCommand: RunCommand = (command) => {
  throw new IngotError(
    'secrets/denied',
    `the command ${command} would run for a reference; that is not allowed here`,
    { hint: 'Fetch the value before, and hand it over in an environment variable.' },
  );
};
