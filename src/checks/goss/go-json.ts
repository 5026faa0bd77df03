import { floatJson } from './go-text.ts';
import { GoTime, type GoValue, isMap, Reader, sortedEntries, Strings } from './values.ts';

/** Something that says itself how it is written in JSON: a matcher, a transform. */
export interface JsonWriter {
  /** `html`: whether `<`, `>` and `&` are escaped around it. */
  json(html: boolean): string;
}

/** What a report shows: values, matchers, lists of both. */
export type Shown = GoValue | JsonWriter | readonly (GoValue | JsonWriter)[];

/** Refused by JSON, as infinity. The message is goss's. */
class UnsupportedValue extends Error {}

/** One line of JSON as Go writes it, keys sorted; what JSON can't say gives Go's message instead. */
export function jsonText(value: Shown, html = false): string {
  try {
    return write(value, html);
  } catch (error) {
    if (error instanceof UnsupportedValue) return error.message;
    throw error;
  }
}

function write(value: Shown, html: boolean): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return jsonString(value, html);
  if (typeof value === 'number') {
    const text = floatJson(value);
    if (text === undefined) {
      const name = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
      throw new UnsupportedValue(`json: unsupported value: ${name}`);
    }
    return text;
  }
  if (typeof value !== 'object') return String(value);
  if (isWriter(value)) return value.json(html);
  if (value instanceof Reader) return '{}';
  if (value instanceof GoTime) return jsonString(value.rfc3339, html);
  if (value instanceof Strings) return `[${value.items.map((item) => jsonString(item, html)).join(',')}]`;
  if (isMap(value))
    return `{${sortedEntries(value)
      .map(([key, item]) => `${jsonString(key, html)}:${write(item, html)}`)
      .join(',')}}`;
  return `[${(value as readonly Shown[]).map((item) => write(item, html)).join(',')}]`;
}

function isWriter(value: object): value is JsonWriter {
  return 'json' in value && typeof value.json === 'function';
}

/** `{"name":value}` of a matcher. Inside, HTML's characters are always escaped: Go marshals it on its own. */
export function jsonPair(name: string, value: Shown): string {
  return `{${jsonString(name, true)}:${write(value, true)}}`;
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

/** A string of Go's encoding/json. */
export function jsonString(text: string, html: boolean): string {
  const pattern = html ? /["\\\p{Cc}\u2028\u2029<>&]/gu : /["\\\p{Cc}\u2028\u2029]/gu;
  const escaped = Buffer.from(text)
    .toString()
    .replace(pattern, (c) =>
      c >= '\u007f' && c <= '\u009f'
        ? c
        : (SHORT[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
    );
  return `"${escaped}"`;
}
