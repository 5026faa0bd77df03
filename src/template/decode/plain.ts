import { record } from '../value/json.ts';
import { type Decimal, numberToFloat, numberToText } from '../value/number.ts';
import { children, entriesOf, itemsOf, type Value } from '../value/value.ts';

/** A wholly known value as plugins get it: arrays, records without prototype, JavaScript numbers. */
export function toPlain(value: Value): unknown {
  const { data } = value;
  if (data === undefined || data === null) return undefined;
  if (typeof data === 'string' || typeof data === 'boolean') return data;
  if (Array.isArray(data)) return itemsOf(value).map(toPlain);
  if (data instanceof Map) return record([...entriesOf(value)].map(([key, v]) => [key, toPlain(v)]));
  return numberToFloat(data as Decimal);
}

/** Every text in the value, as it could turn up in a log. */
export function texts(value: Value): string[] {
  const { data } = value;
  if (typeof data === 'string') return data === '' ? [] : [data];
  if (value.type.kind === 'number' && data) return [numberToText(data as Decimal)];
  return [...children(value)].flatMap(texts);
}

/** Texts of the parts of a value that are sensitive. */
export function sensitiveTexts(value: Value): string[] {
  if (value.marks.sensitive.size > 0) return texts(value);
  return [...children(value)].flatMap(sensitiveTexts);
}
