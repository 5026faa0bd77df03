import { compare, type Decimal, numberToText } from './number.ts';
import { joinMarks, NO_MARKS } from './marks.ts';
import { type Type, typeName } from './type.ts';
import { entriesOf, itemsOf, type Value } from './value.ts';

/** A set of `items` without repeats, in cty's order: by code point, numbers by size. */
export function canonicalSet(items: readonly Value[], element: Type): Value {
  const byKey = new Map<string, Value>();
  let marks = NO_MARKS;
  for (const item of items) {
    const key = valueKey(item);
    // Two unknown elements may be equal or not: both are kept.
    byKey.set(item.data === undefined ? `${key}${byKey.size}` : key, item);
    marks = joinMarks(marks, item.marks);
  }
  const sorted = [...byKey].sort(([a, x], [b, y]) => order(x, y) || compareText(a, b));
  return { type: { kind: 'set', element }, data: sorted.map(([, v]) => v), marks };
}

function order(a: Value, b: Value): number {
  if (a.type.kind === 'number' && b.type.kind === 'number' && a.data && b.data) {
    return compare(a.data as Decimal, b.data as Decimal);
  }
  return 0;
}

/** By Unicode code point, as Go compares UTF-8 strings. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above all of the basic plane.
    if (x >= 0xd800 && y >= 0xd800) {
      x = x >= 0xe000 ? x - 0x2000 : x + 0x800;
      y = y >= 0xe000 ? y - 0x2000 : y + 0x800;
    }
    return x - y;
  }
  return a.length - b.length;
}

/** A text that equal values share, and only they: type and content. */
export function valueKey(value: Value): string {
  const { data, type } = value;
  if (data === undefined) return `?${typeName(type)}`;
  if (data === null) return 'null';
  if (typeof data === 'string') return `"${data}`;
  if (typeof data === 'boolean') return String(data);
  if (type.kind === 'number') return numberToText(data as Decimal);
  if (data instanceof Map) {
    const parts = [...entriesOf(value)]
      .map(([k, v]) => [k, valueKey(v)] as const)
      .sort(([a], [b]) => compareText(a, b));
    return `${type.kind}${JSON.stringify(parts)}`;
  }
  return `${type.kind}${JSON.stringify(itemsOf(value).map(valueKey))}`;
}
