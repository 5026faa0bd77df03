import type { Json } from '../../core/digest.ts';
import { type Decimal, numberToFloat } from './number.ts';
import { bool, entriesOf, itemsOf, NULL, number, object, string, tuple, type Value } from './value.ts';

/** Plain data as a value: objects and tuples, as HCL's own literals. */
export function valueFromJson(json: Json): Value {
  if (json === null) return NULL;
  if (typeof json === 'string') return string(json);
  if (typeof json === 'number') return number(json);
  if (typeof json === 'boolean') return bool(json);
  if (Array.isArray(json)) return tuple(json.map(valueFromJson));
  return object(new Map(Object.entries(json).map(([key, value]) => [key, valueFromJson(value)])));
}

/** A record that holds any key as data, `__proto__` too. */
export function record<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const out = Object.create(null) as Record<string, T>;
  for (const [key, value] of entries) out[key] = value;
  return out;
}

/** A value as plain data; what is unknown becomes null. Numbers become the nearest float. */
export function toJson(value: Value): Json {
  const { data } = value;
  if (data === undefined || data === null) return null;
  if (typeof data === 'string' || typeof data === 'boolean') return data;
  if (Array.isArray(data)) return itemsOf(value).map(toJson);
  if (data instanceof Map) return record([...entriesOf(value)].map(([key, v]) => [key, toJson(v)]));
  return numberToFloat(data as Decimal);
}
