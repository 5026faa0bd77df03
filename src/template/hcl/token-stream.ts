import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import { between, describe, type Token, type TokenKind } from './token.ts';

/** Nesting beyond this is no template that a person wrote, and would exhaust the stack. */
const MAX_DEPTH = 250;

/** Enough to fix a file in one go; thousands of findings in a binary file help nobody. */
const MAX_ERRORS = 100;

/** Thrown where the text can't be what the grammar asks for; caught where parsing can go on. */
export class SyntaxFailure extends Error {
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

/** The tokens of one file as the parser reads them: comments out of the way, line breaks seen where they count. */
export class TokenStream {
  readonly file: string;
  readonly diagnostics: Diagnostic[];
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #newlinesCount = true;

  constructor(tokens: readonly Token[], text: string, file: string, diagnostics: Diagnostic[]) {
    this.#text = text;
    this.file = file;
    this.diagnostics = diagnostics;
    this.#tokens = tokens.flatMap((token) => {
      if (token.kind !== 'comment') return [token];
      return token.text.endsWith('\n') ? [{ ...token, kind: 'newline' as const }] : [];
    });
  }

  peek(): Token {
    if (!this.#newlinesCount) this.skipNewlines();
    return this.#tokens[this.#at] as Token;
  }

  /** The token behind the next one. */
  peekSecond(): Token {
    this.peek();
    return this.#tokens[this.#after(this.#at)] as Token;
  }

  peekThird(): Token {
    this.peek();
    return this.#tokens[this.#after(this.#after(this.#at))] as Token;
  }

  #after(position: number): number {
    let at = Math.min(position + 1, this.#tokens.length - 1);
    while (!this.#newlinesCount && this.#tokens[at]?.kind === 'newline') at++;
    return at;
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== 'eof') this.#at++;
    return token;
  }

  /** Takes the next token if it is of this kind. */
  take(kind: TokenKind): Token | undefined {
    return this.peek().kind === kind ? this.next() : undefined;
  }

  /** Takes the next token if it is this word. */
  takeWord(word: string): Token | undefined {
    return this.isWord(word) ? this.next() : undefined;
  }

  isWord(word: string): boolean {
    const token = this.peek();
    return token.kind === 'ident' && token.text === word;
  }

  /** Takes a token of this kind, or fails: `what` says in words what the grammar wants here. */
  expect(kind: TokenKind, what: string, hint?: string): Token {
    return this.take(kind) ?? this.fail(`expected ${what}, got ${describe(this.peek())}`, this.peek(), hint);
  }

  skipNewlines(): void {
    while (this.#tokens[this.#at]?.kind === 'newline') this.#at++;
  }

  /** Runs `parse` with line breaks being blanks (inside brackets) or counting (inside braces). */
  withNewlines<T>(count: boolean, parse: () => T): T {
    const before = this.#newlinesCount;
    this.#newlinesCount = count;
    try {
      return parse();
    } finally {
      this.#newlinesCount = before;
    }
  }

  /** Runs `parse` one level deeper. */
  nested<T>(parse: () => T): T {
    if (this.#depth >= MAX_DEPTH) {
      throw new SyntaxFailure({
        code: 'template/too-deep',
        severity: 'error',
        message: `this is nested more than ${MAX_DEPTH} levels deep`,
        range: this.rangeOf(this.peek()),
        hint: 'Split the expression with locals.',
      });
    }
    this.#depth++;
    try {
      return parse();
    } finally {
      this.#depth--;
    }
  }

  rangeOf(first: Pick<Token, 'start'>, last: Pick<Token, 'end'> = first as Token): SourceRange {
    return between(this.file, first, last);
  }

  /** What is written there. */
  textOf(range: SourceRange): string {
    return this.#text.slice(range.start.offset, range.end.offset);
  }

  fail(message: string, token: Token, hint?: string): never {
    return this.failAt(message, this.rangeOf(token), hint);
  }

  failAt(message: string, range: SourceRange, hint?: string): never {
    throw new SyntaxFailure({
      code: 'template/syntax',
      severity: 'error',
      message,
      range,
      ...(hint !== undefined && { hint }),
    });
  }

  report(diagnostic: Diagnostic): void {
    if (this.diagnostics.length < MAX_ERRORS) this.diagnostics.push(diagnostic);
  }

  get position(): number {
    return this.#at;
  }

  /**
   * Goes on behind the item that began at `from` and failed: to the end of its line with all brackets closed, to
   * the brace that closes the body around it, or to a line that looks like the next item.
   */
  recover(from: number): void {
    const open: TokenKind[] = [];
    let braces = 0;
    let at = from;
    for (; at < this.#tokens.length - 1; at++) {
      const token = this.#tokens[at] as Token;
      const { kind } = token;
      if (kind === '{' || kind === '[' || kind === '(' || kind === '${' || kind === '%{') {
        open.push(kind);
        if (kind === '{') braces++;
      } else if (kind === ']' || kind === ')' || kind === 'seq-end') {
        if (open.length > 0 && open.at(-1) !== '{') open.pop();
      } else if (kind === '}') {
        while (open.length > 0 && open.at(-1) !== '{') open.pop();
        if (open.length === 0) {
          if (at >= this.#at) break;
        } else {
          open.pop();
          braces--;
        }
      } else if (kind === 'newline') {
        if (open.length === 0 ? at >= this.#at : braces === 0 && this.#startsItem(at + 1)) break;
      }
    }
    this.#at = Math.max(at, from);
  }

  /** `name =` or `name {` or `name "label" …`. */
  #startsItem(at: number): boolean {
    const second = this.#tokens[at + 1]?.kind;
    return (
      this.#tokens[at]?.kind === 'ident' && (second === '=' || second === '{' || second === 'open-quote')
    );
  }
}
