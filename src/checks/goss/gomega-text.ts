import { goQuote } from '../../template/value/go-quote.ts';
import { valueText } from './go-text.ts';
import { capacityOf, GoTime, type GoValue, isList, isMap, Reader, sortedEntries, Strings } from './values.ts';

const INDENT = '    ';
/** gomega cuts longer texts (format.MaxLength), of bytes. */
const MAX_LENGTH = 4000;
/** Where an element is longer, each takes a line (longFormThreshold), of bytes. */
const LONG = 20;
const MAX_DEPTH = 10;

/** A value as gomega's errors show it: `    <int>: 42` (format.Object with one indentation). */
export function gomegaText(value: GoValue): string {
  return `${INDENT}<${typeText(value)}>: ${shown(value, 1)}`;
}

function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_LENGTH) return text;
  let end = MAX_LENGTH;
  // A character whose first byte is before the limit stays whole.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end++;
  return `${bytes.toString('utf8', 0, end)}...

Gomega truncated this representation as it exceeds 'format.MaxLength'.
Consider having the object provide a custom 'GomegaStringer' representation
or adjust the parameters in Gomega's 'format' package.

Learn more here: https://onsi.github.io/gomega/#adjusting-output
`;
}

/** The Go type, with the length of what has one. */
function typeText(value: GoValue): string {
  if (isList(value)) return `[]interface {} | len:${value.length}, cap:${capacityOf(value)}`;
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

function shown(value: GoValue, depth: number): string {
  if (depth > MAX_DEPTH) return '...';
  if (value === null) return 'nil';
  if (typeof value === 'string') {
    return cut(depth === 1 ? value.split('\n').join(`\n${INDENT}`) : goQuote(value));
  }
  if (value instanceof Strings) return cut(list(value.items.map(goQuote), '[]', depth));
  if (isList(value)) {
    const items = value.map((item) => inner(item, depth + 1));
    return cut(list(items, '[]', depth));
  }
  if (isMap(value)) {
    const items = sortedEntries(value).map(
      ([key, item]) => `${shown(key, depth + 1)}: ${inner(item, depth + 1)}`,
    );
    return cut(list(items, '{}', depth));
  }
  return valueText(value);
}

function list(items: readonly string[], brackets: string, depth: number): string {
  const [open = '', close = ''] = brackets;
  if (items.every((item) => Buffer.byteLength(item) <= LONG)) return `${open}${items.join(', ')}${close}`;
  const indent = INDENT.repeat(depth);
  return `${open}\n${items.map((item) => `${indent}${INDENT}${item},\n`).join('')}${indent}${close}`;
}

/** An element: an interface in Go, so that its type is shown. */
function inner(value: GoValue, depth: number): string {
  if (depth > MAX_DEPTH) return '...';
  return value === null ? 'nil' : `<${typeText(value)}>${shown(value, depth)}`;
}
