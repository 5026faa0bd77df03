import { valueText } from './go-text.ts';
import { GoTime, type GoValue, isList, isMap, Reader, sortedEntries, Strings } from './values.ts';

const INDENT = '    ';
/** gomega cuts longer texts (format.MaxLength). */
const MAX_LENGTH = 4000;

/** A value as gomega's errors show it: `    <int>: 42` (format.Object with one indentation). */
export function gomegaText(value: GoValue): string {
  return `${INDENT}<${typeText(value)}>: ${cut(plain(value))}`;
}

function cut(text: string): string {
  if (text.length <= MAX_LENGTH) return text;
  return `${text.slice(0, MAX_LENGTH)}...

Gomega truncated this representation as it exceeds 'format.MaxLength'.
Consider having the object provide a custom 'GomegaStringer' representation
or adjust the parameters in Gomega's 'format' package.

Learn more here: https://onsi.github.io/gomega/#adjusting-output
`;
}

/** The Go type, with the length of what has one. */
function typeText(value: GoValue): string {
  if (isList(value)) return `[]interface {} | len:${value.length}, cap:${value.length}`;
  if (value instanceof Strings) return `[]string | len:${value.items.length}, cap:${value.items.length}`;
  if (isMap(value)) return `map[string]interface {} | len:${value.size}`;
  return goType(value);
}

/** What `%T` prints. */
export function goType(value: GoValue): string {
  if (value === null) return 'nil';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (value instanceof Strings) return '[]string';
  if (value instanceof Reader) return value.typeName;
  if (value instanceof GoTime) return 'time.Time';
  return isMap(value) ? 'map[string]interface {}' : '[]interface {}';
}

function plain(value: GoValue): string {
  if (value === null) return 'nil';
  if (typeof value === 'string') return value.split('\n').join(`\n${INDENT}`);
  if (isList(value) || value instanceof Strings) {
    const items = value instanceof Strings ? value.items.map((i) => quoted(i)) : value.map(inner);
    return list(items, '[', ']');
  }
  if (isMap(value))
    return list(
      sortedEntries(value).map(([key, item]) => `${quoted(key)}: ${inner(item)}`),
      '{',
      '}',
    );
  return valueText(value);
}

/** Long lists take a line an element. */
function list(items: readonly string[], open: string, close: string): string {
  const line = items.join(', ');
  if (line.length <= 70 && !line.includes('\n')) return `${open}${line}${close}`;
  return `${open}\n${items.map((item) => `${INDENT}${INDENT}${item},\n`).join('')}${INDENT}${close}`;
}

function inner(value: GoValue): string {
  if (value === null) return '<nil>nil';
  if (typeof value === 'string') return `<string>${quoted(value)}`;
  return `<${typeText(value)}>${plain(value)}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
