import { type Decimal, numberFromText, numberToText } from '../value/number.ts';
import { compareText } from '../value/set.ts';
import { bool, entriesOf, itemsOf, NULL, number, object, string, tuple, type Value } from '../value/value.ts';
import { FunctionError } from './function.ts';

/** Characters that Go's encoding/json escapes, so that JSON can stand in HTML. */
const ESCAPED = /[<>&\u2028\u2029]/g;

function quote(text: string): string {
  const hex = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text)
    .replace(ESCAPED, hex)
    .replace(/\\[bf]/g, (e) => (e === '\\b' ? '\\u0008' : '\\u000c'));
}

/** JSON as Go writes it: no blanks, keys sorted, all digits of numbers. */
export function encodeJson(value: Value): string {
  const { data } = value;
  if (data === null || data === undefined) return 'null';
  if (typeof data === 'string') return quote(data);
  if (typeof data === 'boolean') return String(data);
  if (Array.isArray(data)) return `[${itemsOf(value).map(encodeJson).join(',')}]`;
  if (data instanceof Map) {
    const entries = [...entriesOf(value)].sort(([a], [b]) => compareText(a, b));
    return `{${entries.map(([key, v]) => `${quote(key)}:${encodeJson(v)}`).join(',')}}`;
  }
  return numberToText(data as Decimal);
}

const MAX_DEPTH = 250;
const TOKEN =
  /[ \t\n\r]*(?:([{}[\],:])|("[^"\\]*(?:\\.[^"\\]*)*")|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(true|false|null))/y;

/** Reads JSON, numbers with all their digits. Of keys that come twice the last wins. Throws FunctionError. */
export function decodeJson(text: string): Value {
  const reader = new JsonReader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Value {
    if (depth > MAX_DEPTH) throw new FunctionError(`JSON nested more than ${MAX_DEPTH} levels deep`);
    const [punctuation, text, digits, word] = this.#token();
    if (text !== undefined) return string(this.#string(text));
    if (digits !== undefined) return number(numberFromText(digits) ?? this.#fail());
    if (word !== undefined) return word === 'null' ? NULL : bool(word === 'true');
    if (punctuation === '[') return this.#array(depth);
    if (punctuation === '{') return this.#object(depth);
    return this.#fail();
  }

  end(): void {
    if (/\S/.test(this.#text.slice(this.#at))) this.#fail();
  }

  #array(depth: number): Value {
    const items: Value[] = [];
    if (this.#take(']')) return tuple(items);
    for (;;) {
      items.push(this.value(depth + 1));
      if (this.#take(']')) return tuple(items);
      if (!this.#take(',')) this.#fail();
    }
  }

  #object(depth: number): Value {
    const entries = new Map<string, Value>();
    if (this.#take('}')) return object(entries);
    for (;;) {
      const key = this.#token()[1];
      if (key === undefined || !this.#take(':')) return this.#fail();
      entries.set(this.#string(key), this.value(depth + 1));
      if (this.#take('}')) return object(entries);
      if (!this.#take(',')) this.#fail();
    }
  }

  #string(text: string): string {
    try {
      return JSON.parse(text) as string;
    } catch {
      return this.#fail();
    }
  }

  #take(punctuation: string): boolean {
    const before = this.#at;
    TOKEN.lastIndex = before;
    if (TOKEN.exec(this.#text)?.[1] !== punctuation) return false;
    this.#at = TOKEN.lastIndex;
    return true;
  }

  #token(): (string | undefined)[] {
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text);
    if (!match) return this.#fail();
    this.#at = TOKEN.lastIndex;
    return match.slice(1);
  }

  #fail(): never {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    throw new FunctionError(`this is no JSON, seen on line ${line} of the text`, 0);
  }
}
