import { IngotError } from '../core/error.ts';
import { isMap } from './document.ts';

/** What a fragment leads to. */
export type Picked = { readonly found: true; readonly value: unknown } | { readonly found: false };

/**
 * Follows a fragment (`users/0/name`) into a document: keys of maps and indexes of lists; a negative index counts from the
 * end. Throws `secrets/not-a-map` where the way goes on and the document does not.
 */
export function pick(document: unknown, fragment: string, reference: string): Picked {
  const keys = fragment.split('/');
  let value = document;
  for (const [i, key] of keys.entries()) {
    if (Array.isArray(value)) {
      if (!/^-?(?:0|[1-9]\d{0,8})$/.test(key)) throw notAMap(reference, keys.slice(0, i), 'a list', key);
      const item: unknown = value.at(Number(key));
      if (item === undefined) return { found: false };
      value = item;
    } else if (isMap(value)) {
      if (!Object.hasOwn(value, key)) return { found: false };
      value = value[key];
    } else {
      throw notAMap(reference, keys.slice(0, i), 'a single value', key);
    }
  }
  return { found: true, value };
}

function notAMap(reference: string, way: readonly string[], what: string, key: string): IngotError {
  const where = way.length === 0 ? 'the secret' : `/${way.join('/')}`;
  return new IngotError(
    'secrets/not-a-map',
    `${reference}: ${where} is ${what}; expected a map with the key ${JSON.stringify(key)}`,
    { hint: 'Shorten the fragment, or use an index (#/0) for a list.' },
  );
}
