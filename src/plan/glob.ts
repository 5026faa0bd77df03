import { PatternError, SafeRegExp } from '../template/index.ts';

/** The pattern can't be read. The message completes "in which …". */
export class GlobError extends Error {}

export type Glob = (text: string) => boolean;

/**
 * A pattern of `-only` and `-except`, in the syntax of the library that Packer uses (github.com/gobwas/glob, without
 * separators): `*` and `**` any text, `?` a character, `[abc]` or `[a-z]` one of these, `[!a-z]` another, `{a,b*}` one
 * of these patterns, `\` before what is meant as it is. Matches whole texts, in time that grows with pattern × text.
 * Throws GlobError.
 */
export function compileGlob(pattern: string): Glob {
  const source = new GlobReader(pattern).read();
  try {
    const regexp = new SafeRegExp(`\\A(?s:${source})\\z`);
    return (text) => regexp.find(text) !== undefined;
  } catch (error) {
    if (error instanceof PatternError) throw new GlobError(error.message, { cause: error });
    throw error;
  }
}

/** Writes a pattern as a regular expression in RE2's syntax. */
class GlobReader {
  readonly #chars: readonly string[];
  #at = 0;
  #open = 0;

  constructor(pattern: string) {
    this.#chars = Array.from(pattern);
  }

  read(): string {
    let source = '';
    while (this.#at < this.#chars.length) source += this.#term(this.#chars[this.#at++] as string);
    if (this.#open > 0) throw new GlobError('"{" is not closed by "}"');
    return source;
  }

  #term(char: string): string {
    switch (char) {
      case '*':
        return '.*';
      case '?':
        return '.';
      case '[':
        return this.#class();
      case '{':
        this.#open++;
        return '(?:';
      case '}':
        return this.#open > 0 && this.#open-- > 0 ? ')' : literal(char);
      case ',':
        return this.#open > 0 ? '|' : literal(char);
      case '\\':
        return Array.from(this.#chars[this.#at++] ?? '', literal).join('');
      default:
        return literal(char);
    }
  }

  /** Either one range or a list of characters; the two don't mix. */
  #class(): string {
    const not = this.#chars[this.#at] === '!' ? '^' : '';
    if (not) this.#at++;
    const [low, dash, high, close] = this.#chars.slice(this.#at, this.#at + 4);
    if (dash !== '-') return `[${not}${this.#list().map(literal).join('')}]`;
    if (close !== ']') throw new GlobError(`"${low}-${high ?? ''}" is not followed by "]"`);
    if ((low as string) > (high as string)) throw new GlobError(`"${low}-${high}" goes backwards`);
    this.#at += 4;
    return `[${not}${literal(low as string)}-${literal(high as string)}]`;
  }

  #list(): string[] {
    const list: string[] = [];
    for (;;) {
      let char = this.#chars[this.#at++];
      if (char === ']') break;
      if (char === '\\') char = this.#chars[this.#at++];
      if (char === undefined) throw new GlobError('"[" is not closed by "]"');
      list.push(char);
    }
    if (list.length === 0) throw new GlobError('"[]" has nothing to choose from');
    return list;
  }
}

function literal(char: string): string {
  return `\\x{${(char.codePointAt(0) as number).toString(16)}}`;
}
