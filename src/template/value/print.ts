import { goQuote } from './go-quote.ts';
import { type Decimal, numberToFloat, numberToText } from './number.ts';
import { entriesOf, itemsOf, type Value } from './value.ts';

/** Fractions that never end are cut where a float ends: nobody reads 155 digits. */
const LONGEST = 20;

/** A value as `packer console` and `packer inspect` show it: a text as it is, all else as an expression. */
export function printValue(value: Value): string {
  return typeof value.data === 'string' && value.marks.sensitive.size === 0 ? value.data : print(value, '');
}

function print(value: Value, indent: string): string {
  const { data, marks } = value;
  if (marks.sensitive.size > 0) return indent === '' ? '<sensitive>' : '"<sensitive>"';
  if (data === undefined) return '<unknown>';
  if (data === null) return 'null';
  if (typeof data === 'string') return goQuote(data);
  if (typeof data === 'boolean') return String(data);
  const inner = `${indent}  `;
  if (Array.isArray(data)) {
    const lines = itemsOf(value).map((item) => `${inner}${print(item, inner)},\n`);
    return lines.length === 0 ? '[]' : `[\n${lines.join('')}${indent}]`;
  }
  if (data instanceof Map) {
    const entries = [...entriesOf(value)].sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = entries.map(([key, item]) => `${inner}${goQuote(key)} = ${print(item, inner)}\n`);
    return lines.length === 0 ? '{}' : `{\n${lines.join('')}${indent}}`;
  }
  const text = numberToText(data as Decimal);
  return text.includes('.') && text.length > LONGEST ? String(numberToFloat(data as Decimal)) : text;
}
