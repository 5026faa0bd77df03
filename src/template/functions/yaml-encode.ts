import { type Decimal, numberToText } from '../value/number.ts';
import { compareText } from '../value/set.ts';
import { entriesOf, itemsOf, type Value } from '../value/value.ts';

/** Block-style YAML as go-cty-yaml writes it: keys sorted, strings in double quotes, texts of lines as `|`. */
export function encodeYaml(value: Value): string {
  const isPlain = value.data === null || value.type.kind === 'number' || value.type.kind === 'bool';
  // A plain scalar alone could go on; libyaml says where it ends.
  return `${node(value, '')}\n${isPlain ? '...\n' : ''}`.replace(/^\n/, '');
}

/** A node behind a key or dash; what needs lines of its own begins with a line break. */
function node(value: Value, indent: string): string {
  const { data } = value;
  if (Array.isArray(data)) {
    const items = itemsOf(value);
    if (items.length === 0) return '[]';
    return items.map((item) => `\n${indent}- ${inDash(item, indent)}`).join('');
  }
  if (data instanceof Map) {
    const entries = [...entriesOf(value)].sort(([a], [b]) => compareText(a, b));
    if (entries.length === 0) return '{}';
    return entries.map(([key, v]) => `\n${indent}${quoted(key)}:${behindKey(v, indent)}`).join('');
  }
  return scalar(value, indent);
}

/** Behind `key:`. Lists stand at the key's own indentation, maps two deeper. */
function behindKey(value: Value, indent: string): string {
  const inner = value.data instanceof Map ? `${indent}  ` : indent;
  const text = node(value, Array.isArray(value.data) ? indent : inner);
  return text.startsWith('\n') ? text : ` ${text}`;
}

function inDash(value: Value, indent: string): string {
  if (!Array.isArray(value.data) && !(value.data instanceof Map)) return scalar(value, indent);
  return node(value, `${indent}  `).replace(/^\n\s*/, '');
}

/** What libyaml does not take for printable. */
const UNSEEN = /[^\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;

function scalar({ data, type }: Value, indent: string): string {
  if (data === null || data === undefined) return 'null';
  if (typeof data === 'boolean') return String(data);
  if (type.kind === 'number') return numberToText(data as Decimal);
  const text = data as string;
  // Blanks at the end of a line or of the text can't be seen in a block, and libyaml does not write them there.
  if (!text.includes('\n') || / (?:\n|$)/.test(text) || UNSEEN.test(text)) return quoted(text);
  const chomping = text === '\n' || text.endsWith('\n\n') ? '+' : text.endsWith('\n') ? '' : '-';
  // Blanks in front would be taken for indentation.
  const indentation = /^[ \n]/.test(text) ? '2' : '';
  const lines = text.replace(/\n$/, '').split('\n');
  return `|${indentation}${chomping}${lines.map((line) => (line === '' ? '\n' : `\n${indent}  ${line}`)).join('')}`;
}

const ESCAPES = new Map(
  [
    '\x000',
    '\x07a',
    '\bb',
    '\tt',
    '\nn',
    '\vv',
    '\ff',
    '\rr',
    '\x1be',
    '""',
    '\\\\',
    '\x85N',
    '\u2028L',
    '\u2029P',
  ].map(([char, letter]): [string, string] => [char as string, letter as string]),
);

/** In double quotes, with libyaml's escapes (YAML 1.1, section 5.7). */
function quoted(text: string): string {
  const inner = text.replace(/["\\\p{Cc}\u2028\u2029\ufeff\ufffe\uffff]|[\u{10000}-\u{10ffff}]/gu, (char) => {
    const letter = ESCAPES.get(char);
    if (letter !== undefined) return `\\${letter}`;
    const code = char.codePointAt(0) as number;
    const hex = code.toString(16).toUpperCase();
    return code < 0x100
      ? `\\x${hex.padStart(2, '0')}`
      : code < 0x10000
        ? `\\u${hex.padStart(4, '0')}`
        : `\\U${hex.padStart(8, '0')}`;
  });
  return `"${inner}"`;
}
