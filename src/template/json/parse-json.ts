import type { Diagnostic } from '../../core/diagnostic.ts';
import { error } from '../diagnostics.ts';
import { numberFromText } from '../value/number.ts';
import type { JsonMember, JsonNode } from './json-node.ts';
import { LineMap } from './line-map.ts';

const MAX_DEPTH = 250;
const BLANKS = /[ \t\r\n]*/y;
const STRING = /"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /[A-Za-z]+/y;

/** Ends reading; JSON has no place from which it could go on. */
class JsonFailure extends Error {
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

/** Parses JSON (RFC 8259) and keeps places. Never throws; the first error ends it. */
export function parseJson(
  text: string,
  file: string,
): { node: JsonNode | undefined; diagnostics: Diagnostic[] } {
  try {
    return { node: new JsonParser(text, file).parse(), diagnostics: [] };
  } catch (failure) {
    if (!(failure instanceof JsonFailure)) throw failure;
    return { node: undefined, diagnostics: [failure.diagnostic] };
  }
}

class JsonParser {
  readonly #text: string;
  readonly #lines: LineMap;
  #at = 0;
  #depth = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#lines = new LineMap(text, file);
    if (text.startsWith('\uFEFF')) this.#at = 1;
  }

  parse(): JsonNode {
    const node = this.#value();
    this.#skip();
    if (this.#at < this.#text.length) this.#fail('expected the end of the file behind the value');
    return node;
  }

  #skip(): void {
    BLANKS.lastIndex = this.#at;
    BLANKS.exec(this.#text);
    this.#at = BLANKS.lastIndex;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at = pattern.lastIndex;
    return found;
  }

  #take(char: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #value(): JsonNode {
    this.#skip();
    const start = this.#at;
    const char = this.#text[start];
    if (char === '"') return this.#string();
    if (char === '{')
      return this.#nested(() => ({
        kind: 'object',
        members: this.#members(),
        range: this.#lines.range(start, this.#at),
      }));
    if (char === '[')
      return this.#nested(() => ({
        kind: 'array',
        items: this.#items(),
        range: this.#lines.range(start, this.#at),
      }));
    const number = this.#match(NUMBER);
    if (number !== undefined) {
      const value = numberFromText(number);
      if (!value) return this.#fail(`the number ${number.slice(0, 40)} is out of range`, start);
      return { kind: 'number', value, range: this.#lines.range(start, this.#at) };
    }
    const word = this.#match(WORD);
    const range = this.#lines.range(start, this.#at);
    if (word === 'null') return { kind: 'null', range };
    if (word === 'true' || word === 'false') return { kind: 'bool', value: word === 'true', range };
    return this.#fail(`expected a value, got ${this.#shown(start)}`, start);
  }

  #nested(parse: () => JsonNode): JsonNode {
    if (this.#depth >= MAX_DEPTH)
      this.#fail(`this is nested more than ${MAX_DEPTH} levels deep`, this.#at, 'template/too-deep');
    this.#depth++;
    const node = parse();
    this.#depth--;
    return node;
  }

  #string(): JsonNode & { kind: 'string' } {
    const start = this.#at;
    const text = this.#match(STRING);
    if (text === undefined) return this.#fail('a string starts here and does not end on its line', start);
    const range = this.#lines.range(start, this.#at);
    try {
      return { kind: 'string', value: JSON.parse(text) as string, plain: !text.includes('\\'), range };
    } catch {
      return this.#fail('the string has an unknown escape or a control character', start);
    }
  }

  #members(): JsonMember[] {
    const members: JsonMember[] = [];
    this.#at++;
    if (this.#take('}')) return members;
    for (;;) {
      this.#skip();
      if (this.#text[this.#at] !== '"')
        this.#fail(`expected a key in double quotes, got ${this.#shown(this.#at)}`);
      const key = this.#string();
      if (!this.#take(':')) this.#fail(`expected ":" behind the key, got ${this.#shown(this.#at)}`);
      members.push({ key, value: this.#value() });
      if (this.#take('}')) return members;
      if (!this.#take(',')) this.#fail(`expected "," or "}", got ${this.#shown(this.#at)}`);
    }
  }

  #items(): JsonNode[] {
    const items: JsonNode[] = [];
    this.#at++;
    if (this.#take(']')) return items;
    for (;;) {
      items.push(this.#value());
      if (this.#take(']')) return items;
      if (!this.#take(',')) this.#fail(`expected "," or "]", got ${this.#shown(this.#at)}`);
    }
  }

  #shown(at: number): string {
    const point = this.#text.codePointAt(at);
    return point === undefined ? 'the end of the file' : JSON.stringify(String.fromCodePoint(point));
  }

  #fail(message: string, at = this.#at, code = 'template/syntax'): never {
    const end = Math.min(Math.max(at + 1, this.#at), this.#text.length);
    throw new JsonFailure(error(code, message, this.#lines.range(Math.min(at, end), end)));
  }
}
