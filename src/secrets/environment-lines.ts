import { IngotError } from '../core/error.ts';
import { isMap } from './document.ts';
import { goFloat } from './go-scalars.ts';

/** What a variable may be called: by a shell, or by the system, which hands over anything to a program. */
const NAMES = { shell: /^[A-Za-z_][A-Za-z0-9_]*$/, system: /^[^=\0]+$/ };

/** Variables of a document that was expanded, in the order of their names. Throws `secrets/bad-environment`. */
export function environmentOf(document: unknown, reader: keyof typeof NAMES): [string, string][] {
  if (!isMap(document))
    throw badEnvironment('the document is no map', 'Write a line a variable: NAME: value.');
  return Object.entries(document)
    .map(([name, value]): [string, string] => {
      if (!NAMES[reader].test(name)) {
        throw badEnvironment(
          `${JSON.stringify(name)} is no name of a variable`,
          'Use letters, digits and _.',
        );
      }
      if (
        typeof value !== 'string' &&
        typeof value !== 'number' &&
        typeof value !== 'boolean' &&
        typeof value !== 'bigint'
      ) {
        throw badEnvironment(`${name} is a map, a list or nothing`, 'Add a fragment that names one value.');
      }
      const text = typeof value === 'number' ? goFloat(value) : String(value);
      if (text.includes('\0')) throw badEnvironment(`${name} has a zero byte`, 'Store it as base64.');
      return [name, text];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Lines that a shell takes: `NAME='value'`, with `export ` before them if that is wanted. */
export function environmentLines(
  variables: readonly (readonly [string, string])[],
  isExported: boolean,
): string {
  const start = isExported ? 'export ' : '';
  return variables.map(([name, value]) => `${start}${name}=${quoted(value)}\n`).join('');
}

/** As vals quotes. */
function quoted(value: string): string {
  return /[^\w@%+=:,./-]/.test(value) ? `'${value.replaceAll("'", `'"'"'`)}'` : value;
}

function badEnvironment(problem: string, hint: string): IngotError {
  return new IngotError('secrets/bad-environment', `${problem}; expected texts by the names of variables`, {
    hint,
  });
}
