import { complement, perlClass, POSIX, unicodeProperty } from './char-class.ts';
import { type CharClass, type Node, PatternError } from './syntax.ts';

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly U: boolean;
}

export interface ParsedPattern {
  readonly node: Node;
  /** Names of groups by number, from 1; undefined for groups without one. */
  readonly names: readonly (string | undefined)[];
}

const MAX_REPEAT = 1000;
const MAX_DEPTH = 200;
const ESCAPES: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

/** Reads a pattern in RE2's syntax (github.com/google/re2/wiki/Syntax). Throws PatternError. */
export function parsePattern(pattern: string): ParsedPattern {
  return new PatternParser(pattern).parse();
}

class PatternParser {
  readonly #chars: readonly string[];
  readonly #names: (string | undefined)[] = [];
  #at = 0;
  #depth = 0;
  #flags: Flags = { i: false, m: false, s: false, U: false };

  constructor(pattern: string) {
    this.#chars = Array.from(pattern);
  }

  parse(): ParsedPattern {
    const node = this.#alternate();
    if (this.#at < this.#chars.length) throw new PatternError('unexpected ")"');
    return { node, names: this.#names };
  }

  #peek(ahead = 0): string | undefined {
    return this.#chars[this.#at + ahead];
  }

  #take(text: string): boolean {
    if (!this.#starts(text)) return false;
    this.#at += text.length;
    return true;
  }

  #starts(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.#chars[this.#at + i] !== text[i]) return false;
    return true;
  }

  #alternate(): Node {
    const nodes = [this.#concat()];
    while (this.#take('|')) nodes.push(this.#concat());
    return nodes.length === 1 ? (nodes[0] as Node) : { kind: 'alternate', nodes };
  }

  #concat(): Node {
    const nodes: Node[] = [];
    for (let char = this.#peek(); char !== undefined && char !== '|' && char !== ')'; char = this.#peek()) {
      if (this.#take('\\Q')) nodes.push(...this.#quoted());
      else nodes.push(this.#repeated(this.#atom()));
    }
    return nodes.length === 1 ? (nodes[0] as Node) : { kind: 'concat', nodes };
  }

  #quoted(): Node[] {
    const nodes: Node[] = [];
    while (this.#at < this.#chars.length && !this.#take('\\E'))
      nodes.push(this.#literal(this.#chars[this.#at++] as string));
    // What repeats behind \E repeats the last character.
    const last = nodes.pop();
    if (last) nodes.push(this.#repeated(last));
    return nodes;
  }

  #repeated(atom: Node): Node {
    let node = atom;
    for (let first = true; ; first = false) {
      const bounds = this.#bounds();
      if (!bounds) return node;
      if (!first) throw new PatternError('a repetition repeats a repetition; put the inner one into ( )');
      const greedy = this.#take('?') === this.#flags.U;
      node = { kind: 'repeat', node, min: bounds[0], max: bounds[1], greedy };
    }
  }

  #bounds(): [number, number] | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    if (this.#peek() !== '{') return undefined;
    const match = /^\{([0-9]{1,6})(?:(,)([0-9]{1,6})?)?\}/.exec(
      this.#chars.slice(this.#at, this.#at + 16).join(''),
    );
    if (!match) return undefined;
    const min = Number(match[1]);
    const max =
      match[2] === undefined ? min : match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (min > MAX_REPEAT || (max !== Number.POSITIVE_INFINITY && (max > MAX_REPEAT || max < min))) {
      throw new PatternError(`the repetition ${match[0]} is out of range; at most ${MAX_REPEAT}`);
    }
    this.#at += match[0].length;
    return [min, max];
  }

  #atom(): Node {
    const char = this.#chars[this.#at++] as string;
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'chars', chars: this.#brackets() };
      case '.':
        return {
          kind: 'chars',
          chars: { ranges: this.#flags.s ? [] : [[10, 10]], properties: [], negated: true, fold: false },
        };
      case '^':
        return { kind: 'assert', what: this.#flags.m ? 'line-start' : 'text-start' };
      case '$':
        return { kind: 'assert', what: this.#flags.m ? 'line-end' : 'text-end' };
      case '*':
      case '+':
      case '?':
        throw new PatternError(`nothing stands before ${char}`);
      case '\\':
        return this.#escape();
      default:
        return this.#literal(char);
    }
  }

  #literal(char: string): Node {
    const point = char.codePointAt(0) as number;
    return {
      kind: 'chars',
      chars: { ranges: [[point, point]], properties: [], negated: false, fold: this.#flags.i },
    };
  }

  #group(): Node {
    if (++this.#depth > MAX_DEPTH) throw new PatternError(`nested more than ${MAX_DEPTH} levels deep`);
    const before = this.#flags;
    let index = 0;
    if (this.#starts('?P<') || (this.#starts('?<') && this.#peek(2) !== '=' && this.#peek(2) !== '!')) {
      this.#at += this.#starts('?P<') ? 3 : 2;
      index = this.#names.push(this.#name());
    } else if (this.#take('?')) {
      if (this.#readFlags()) {
        // (?i) alone: from here to the end of the group around it.
        this.#depth--;
        return { kind: 'empty' };
      }
    } else index = this.#names.push(undefined);
    const node = this.#alternate();
    if (!this.#take(')')) throw new PatternError('a "(" has no ")"');
    this.#flags = before;
    this.#depth--;
    return index === 0 ? node : { kind: 'group', node, index };
  }

  #name(): string {
    let name = '';
    for (let char = this.#chars[this.#at++]; char !== '>'; char = this.#chars[this.#at++]) {
      if (char === undefined || !/^\w$/.test(char))
        throw new PatternError("a group's name holds letters, digits and _ only");
      name += char;
    }
    if (name === '' || this.#names.includes(name))
      throw new PatternError(`the group name ${JSON.stringify(name)} is empty or comes twice`);
    return name;
  }

  /** `i`, `-s`, `im-U` up to `:` or `)`; true where the group ends with them. */
  #readFlags(): boolean {
    const flags = { ...this.#flags };
    let value = true;
    for (let char = this.#chars[this.#at++]; ; char = this.#chars[this.#at++]) {
      if (char === ':' || char === ')') {
        this.#flags = flags;
        return char === ')';
      }
      if (char === '-' && value) value = false;
      else if (char !== undefined && char in flags) flags[char as keyof Flags] = value;
      else
        throw new PatternError(
          `"(?${char ?? ''}" is not supported; RE2 has no lookaround and no backreferences`,
        );
    }
  }

  #escape(): Node {
    const char = this.#chars[this.#at++];
    const assertion = ({ A: 'text-start', z: 'text-end', b: 'word', B: 'no-word' } as const)[char ?? ''];
    if (assertion) return { kind: 'assert', what: assertion };
    this.#at--;
    const chars = this.#classEscape();
    if (chars) return { kind: 'chars', chars };
    const point = this.#charEscape();
    return {
      kind: 'chars',
      chars: { ranges: [[point, point]], properties: [], negated: false, fold: this.#flags.i },
    };
  }

  /** `\d`, `\pL`, behind the backslash; undefined where it is none. */
  #classEscape(): CharClass | undefined {
    const char = this.#peek() ?? '';
    const perl = perlClass(char);
    if (perl) {
      this.#at++;
      return { ...perl, properties: [], fold: this.#flags.i };
    }
    if (char !== 'p' && char !== 'P') return undefined;
    this.#at++;
    let name = this.#chars[this.#at++] ?? '';
    if (name === '{') {
      const end = this.#chars.indexOf('}', this.#at);
      if (end === -1) throw new PatternError('a "\\p{" has no "}"');
      name = this.#chars.slice(this.#at, end).join('');
      this.#at = end + 1;
    }
    return {
      ranges: [],
      properties: [unicodeProperty(name, char === 'P')],
      negated: false,
      fold: this.#flags.i,
    };
  }

  /** One character, behind the backslash. */
  #charEscape(): number {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw new PatternError('a backslash ends the pattern');
    const plain = ESCAPES[char];
    if (plain !== undefined && Object.hasOwn(ESCAPES, char)) return plain;
    const rest = char + this.#chars.slice(this.#at, this.#at + 10).join('');
    const hex = /^x(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/.exec(rest);
    const octal = /^(0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest);
    const match = hex ?? octal;
    if (match) {
      this.#at += match[0].length - 1;
      const point = hex ? Number.parseInt(hex[1] ?? hex[2] ?? '', 16) : Number.parseInt(match[0], 8);
      if (point > 0x10ffff) throw new PatternError(`\\${match[0]} is no character`);
      return point;
    }
    if (/^[A-Za-z0-9]$/.test(char)) throw new PatternError(`the escape \\${char} is unknown`);
    return char.codePointAt(0) as number;
  }

  #brackets(): CharClass {
    const ranges: (readonly [number, number])[] = [];
    const properties: RegExp[] = [];
    const negated = this.#take('^');
    for (let first = true; ; first = false) {
      const char = this.#peek();
      if (char === undefined) throw new PatternError('a "[" has no "]"');
      if (char === ']' && !first) break;
      if (this.#starts('[:')) {
        ranges.push(...this.#posix());
        continue;
      }
      const from = this.#bracketItem(ranges, properties);
      if (from === undefined) continue;
      let to = from;
      if (this.#peek() === '-' && this.#peek(1) !== ']' && this.#peek(1) !== undefined) {
        this.#at++;
        to = this.#bracketItem([], []) ?? -1;
        if (to < from) throw new PatternError('a range in [ ] runs backwards');
      }
      ranges.push([from, to]);
    }
    this.#at++;
    return { ranges, properties, negated, fold: this.#flags.i };
  }

  /** One character; undefined where a class was added. */
  #bracketItem(ranges: (readonly [number, number])[], properties: RegExp[]): number | undefined {
    const char = this.#chars[this.#at++] as string;
    if (char !== '\\') return char.codePointAt(0) as number;
    const chars = this.#classEscape();
    if (!chars) return this.#charEscape();
    ranges.push(...(chars.negated ? complement(chars.ranges) : chars.ranges));
    properties.push(...chars.properties);
    return undefined;
  }

  #posix(): readonly (readonly [number, number])[] {
    const match = /^\[:(\^?)([a-z]+):\]/.exec(this.#chars.slice(this.#at, this.#at + 14).join(''));
    const ranges = match && POSIX.get(match[2] as string);
    if (!match || !ranges) throw new PatternError('a [: :] class is unknown');
    this.#at += match[0].length;
    return match[1] === '^' ? complement(ranges) : ranges;
  }
}
