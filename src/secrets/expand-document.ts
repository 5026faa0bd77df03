import { IngotError } from '../core/error.ts';
import { type ExpandOptions, expandText } from './expand.ts';
import { isMap } from './document.ts';
import { readYaml } from './read-yaml.ts';
import { describeReference } from './reference.ts';
import { scan } from './scan.ts';
import { settleAll } from './settle-all.ts';

/**
 * A document with the references of its texts replaced, wherever they stand. A reference as a key of a map is
 * fetched, read as YAML, and what it holds takes the key's place, as vals has it.
 */
export async function expandDocument(value: unknown, options: ExpandOptions): Promise<unknown> {
  if (typeof value === 'string') return await expandText(value, options);
  if (Array.isArray(value)) return await settleAll(value.map((item) => expandDocument(item, options)));
  if (!isMap(value)) return value;
  const fields = await settleAll(Object.entries(value).map((field) => expandField(field, options)));
  const own = fields.filter(({ merged }) => !merged);
  const merged = fields.filter(({ merged }) => merged);
  return Object.fromEntries([...own, ...merged].flatMap(({ entries }) => entries));
}

interface Field {
  readonly entries: readonly [string, unknown][];
  /** They came from a reference in the place of a key, and win. */
  readonly merged: boolean;
}

async function expandField([key, value]: [string, unknown], options: ExpandOptions): Promise<Field> {
  if (isMap(value) && scan(key, options.kinds).some((piece) => typeof piece !== 'string')) {
    const shown = describeReference(key);
    const text = await expandText(key, options);
    const inner = (typeof text === 'string' ? readYaml(text, `the value of the key ${shown}`) : text) ?? {};
    if (isMap(inner)) return { entries: Object.entries(inner), merged: true };
    throw new IngotError('secrets/bad-document', `the key ${shown} leads to no map`, {
      hint: 'A reference in the place of a key is replaced by the map that it leads to; write others as values.',
    });
  }
  return { entries: [[key, await expandDocument(value, options)]], merged: false };
}

/** The texts of a document in which references are looked for. */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [...(isMap(inner) ? [key] : []), ...textsOf(inner)]);
}
