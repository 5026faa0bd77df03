import { type Decimal, numberToText } from '../value/number.ts';
import { compareText } from '../value/set.ts';
import { entriesOf, itemsOf, type Value } from '../value/value.ts';

/** Block-style YAML as go-cty-yaml writes it: keys sorted, strings in double quotes, texts of lines as `|`. */
export function encodeYaml(value: Value): string {
  return `${node(value, '')}\n`.replace(/^\n/, '').replace(/\n\n$/, '\n');
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
    return entries.map(([key, v]) => `\n${indent}${JSON.stringify(key)}:${behindKey(v, indent)}`).join('');
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
  return node(value, `${indent}  `).replace(/^\n\s*/, '');
}

function scalar({ data, type }: Value, indent: string): string {
  if (data === null || data === undefined) return 'null';
  if (typeof data === 'boolean') return String(data);
  if (type.kind === 'number') return numberToText(data as Decimal);
  const text = data as string;
  if (!text.includes('\n') || /[^\n\t\x20-\x7e\u00a0-\ud7ff\ue000-\uffff]/.test(text) || /^[ \n]/.test(text))
    return JSON.stringify(text);
  const keep = text.endsWith('\n\n') ? '+' : text.endsWith('\n') ? '' : '-';
  const lines = text.replace(/\n$/, '').split('\n');
  return `|${keep}${lines.map((line) => (line === '' ? '\n' : `\n${indent}  ${line}`)).join('')}`;
}
