import type { Diagnostic, SourcePosition, SourceRange } from '../../core/diagnostic.ts';
import type { Punctuation, Token, TokenKind } from './token.ts';

/** Where the scanner stands: plain code (`braces` open since `${`), inside quotes, or inside a heredoc. */
type Mode =
  | { readonly kind: 'code'; braces: number; readonly open: Token | undefined }
  | { readonly kind: 'quoted'; readonly open: Token }
  | { readonly kind: 'heredoc'; readonly open: Token; readonly marker: string | undefined };

const IDENT = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;
const NUMBER = /[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const HEREDOC = /<<-?([\p{ID_Start}_][\p{ID_Continue}-]*)\r?\n/uy;
const BLANKS = /[ \t]+/y;
const LINE_COMMENT = /(?:#|\/\/)[^\n]*\n?/y;
const TRIPLE: readonly Punctuation[] = ['...'];
const DOUBLE: readonly Punctuation[] = ['==', '!=', '<=', '>=', '&&', '||', '=>', '::'];
const SINGLE: ReadonlySet<string> = new Set('{}[](),.:?=<>!+-*/%');

/** Tokens of `text`, blanks left out, ending in `eof`. Takes linear time and has an answer to every input. */
export function tokenize(text: string, file: string): { tokens: Token[]; diagnostics: Diagnostic[] } {
  return new Lexer(text, file).run();
}

/** Where the text of a template stands, where that is not a file of its own. */
export interface TemplatePlace {
  /** All tokens get this range: the text was written with escapes, so that places in it can't be told. */
  readonly fixed?: SourceRange;
  /** The template begins here in the text, and goes to its end. */
  readonly start?: SourcePosition;
}

/** Tokens of a text that is a template as a whole: those of a heredoc that ends with the text. */
export function tokenizeTemplate(
  text: string,
  file: string,
  place: TemplatePlace = {},
): { tokens: Token[]; diagnostics: Diagnostic[] } {
  return new Lexer(text, file, place).runTemplate();
}

class Lexer {
  readonly #text: string;
  readonly #file: string;
  readonly #fixed: SourceRange | undefined;
  readonly #tokens: Token[] = [];
  readonly #diagnostics: Diagnostic[] = [];
  readonly #modes: Mode[] = [{ kind: 'code', braces: 0, open: undefined }];
  #here: SourcePosition = { offset: 0, line: 1, column: 1 };

  constructor(text: string, file: string, place: TemplatePlace = {}) {
    this.#text = text;
    this.#file = file;
    this.#fixed = place.fixed;
    if (place.start) this.#here = place.start;
  }

  run(): { tokens: Token[]; diagnostics: Diagnostic[] } {
    // A byte order mark is no part of the text (HCL's scanner drops it, too).
    if (this.#here.offset === 0 && this.#text.startsWith('\uFEFF'))
      this.#here = { offset: 1, line: 1, column: 1 };
    while (this.#here.offset < this.#text.length) {
      const mode = this.#modes.at(-1) as Mode;
      if (mode.kind === 'code') this.#code(mode);
      else if (mode.kind === 'quoted') this.#quoted(mode);
      else this.#heredoc(mode);
    }
    this.#closeAll();
    this.#emit('eof', 0);
    return { tokens: this.#tokens, diagnostics: this.#diagnostics };
  }

  runTemplate(): { tokens: Token[]; diagnostics: Diagnostic[] } {
    this.#modes.push({ kind: 'heredoc', open: this.#emit('open-heredoc', 0), marker: undefined });
    return this.run();
  }

  /** Adds the next `length` characters as a token and steps behind them. */
  #emit(kind: TokenKind, length: number): Token {
    const start = this.#here;
    const text = this.#text.slice(start.offset, start.offset + length);
    this.#advance(text);
    const token: Token = {
      kind,
      text,
      start: this.#fixed?.start ?? start,
      end: this.#fixed?.end ?? this.#here,
    };
    this.#tokens.push(token);
    return token;
  }

  #advance(text: string): void {
    const { offset, line, column } = this.#here;
    let lines = 0;
    let last = -1;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
      lines++;
      last = at;
    }
    this.#here = {
      offset: offset + text.length,
      line: line + lines,
      column: lines === 0 ? column + text.length : text.length - last,
    };
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#here.offset;
    return pattern.exec(this.#text) ?? undefined;
  }

  #code(mode: Mode & { kind: 'code' }): void {
    const at = this.#here.offset;
    const char = this.#text[at] as string;
    if (char === ' ' || char === '\t') return this.#advance((this.#match(BLANKS) as RegExpExecArray)[0]);
    if (char === '\n') return void this.#emit('newline', 1);
    if (char === '\r' && this.#text[at + 1] === '\n') return void this.#emit('newline', 2);
    if (char === '"') {
      const open = this.#emit('open-quote', 1);
      this.#modes.push({ kind: 'quoted', open });
      return;
    }
    if (char === '#' || this.#text.startsWith('//', at)) {
      return void this.#emit('comment', (this.#match(LINE_COMMENT) as RegExpExecArray)[0].length);
    }
    if (this.#text.startsWith('/*', at)) return this.#blockComment();
    if (char === '<') {
      const heredoc = this.#match(HEREDOC);
      if (heredoc) {
        const open = this.#emit('open-heredoc', heredoc[0].length);
        this.#modes.push({ kind: 'heredoc', open, marker: heredoc[1] as string });
        return;
      }
    }
    if (mode.open && mode.braces === 0) {
      const length = char === '}' ? 1 : this.#text.startsWith('~}', at) ? 2 : 0;
      if (length > 0) {
        this.#emit('seq-end', length);
        this.#modes.pop();
        return;
      }
    }
    const word = this.#match(IDENT);
    if (word) return void this.#emit('ident', word[0].length);
    const number = this.#match(NUMBER);
    if (number) return void this.#emit('number', number[0].length);
    this.#punctuation(mode, at, char);
  }

  #punctuation(mode: Mode & { kind: 'code' }, at: number, char: string): void {
    const triple = this.#text.slice(at, at + 3) as Punctuation;
    if (TRIPLE.includes(triple)) return void this.#emit(triple, 3);
    const double = triple.slice(0, 2) as Punctuation;
    if (DOUBLE.includes(double)) return void this.#emit(double, 2);
    if (SINGLE.has(char)) {
      if (char === '{') mode.braces++;
      if (char === '}' && mode.braces > 0) mode.braces--;
      return void this.#emit(char as Punctuation, 1);
    }
    const point = this.#text.codePointAt(at) as number;
    this.#emit('invalid', point > 0xffff ? 2 : 1);
  }

  #blockComment(): void {
    const end = this.#text.indexOf('*/', this.#here.offset + 2);
    const token = this.#emit('comment', (end === -1 ? this.#text.length : end + 2) - this.#here.offset);
    if (end === -1) this.#error('a comment starts here and has no end', token, 'Close it with "*/".');
  }

  #quoted(mode: Mode & { kind: 'quoted' }): void {
    const text = this.#text;
    let at = this.#here.offset;
    const from = at;
    for (; at < text.length; at++) {
      const char = text[at];
      if (char === '"' || char === '\n') break;
      if (char === '\\' && text[at + 1] !== '\n' && at + 1 < text.length) at++;
      else if (isSequence(text, at)) break;
      else if (isEscapedSequence(text, at)) at += 2;
    }
    if (at > from) this.#emit('quoted-text', at - from);
    if (at >= text.length) return;
    if (text[at] === '"') {
      this.#emit('close-quote', 1);
      this.#modes.pop();
    } else if (text[at] === '\n') {
      this.#unterminated(mode);
    } else {
      this.#openSequence();
    }
  }

  /** A line break inside quotes: the string, and all strings around it, end here, so that the next line is read. */
  #unterminated(mode: Mode & { kind: 'quoted' }): void {
    let outermost = mode.open;
    for (
      let top = this.#modes.at(-1) as Mode;
      top.open && top.kind !== 'heredoc';
      top = this.#modes.at(-1) as Mode
    ) {
      this.#modes.pop();
      if (top.kind === 'quoted') outermost = top.open;
      this.#emit(top.kind === 'quoted' ? 'close-quote' : 'seq-end', 0);
    }
    this.#error('a string starts here and does not end on its line', outermost, HINT_STRING);
  }

  #heredoc(mode: Mode & { kind: 'heredoc' }): void {
    const text = this.#text;
    let at = this.#here.offset;
    const from = at;
    const lineEnd = text.indexOf('\n', at);
    const end = lineEnd === -1 ? text.length : lineEnd;
    const previous = this.#tokens.at(-1) as Token;
    if (
      previous.kind === 'open-heredoc' ||
      (previous.kind === 'heredoc-text' && previous.text.endsWith('\n'))
    ) {
      const line = text.slice(at, end);
      if (line.trim() === mode.marker) {
        this.#emit('close-heredoc', line.trimEnd().length);
        this.#advance(text.slice(this.#here.offset, line.endsWith('\r') ? end - 1 : end));
        this.#modes.pop();
        return;
      }
    }
    for (; at < end; at++) {
      if (isSequence(text, at)) break;
      if (isEscapedSequence(text, at)) at += 2;
    }
    if (at >= end) this.#emit('heredoc-text', Math.min(end + 1, text.length) - from);
    else if (at > from) this.#emit('heredoc-text', at - from);
    if (at < end) this.#openSequence();
  }

  #openSequence(): void {
    const at = this.#here.offset;
    const open = this.#emit(`${this.#text[at]}{` as '${' | '%{', this.#text[at + 2] === '~' ? 3 : 2);
    this.#modes.push({ kind: 'code', braces: 0, open });
  }

  /** The text is over: whatever is open ends here, with one complaint about the outermost. */
  #closeAll(): void {
    let outermost: Mode | undefined;
    for (let mode = this.#modes.at(-1) as Mode; mode.open; mode = this.#modes.at(-1) as Mode) {
      // The text of a template file may end anywhere outside of a sequence.
      if (mode.kind !== 'heredoc' || mode.marker !== undefined) outermost = mode;
      this.#modes.pop();
      this.#emit(
        mode.kind === 'quoted' ? 'close-quote' : mode.kind === 'heredoc' ? 'close-heredoc' : 'seq-end',
        0,
      );
    }
    if (outermost?.kind === 'quoted') {
      this.#error('a string starts here and has no end', outermost.open, HINT_STRING);
    } else if (outermost?.kind === 'code' && outermost.open) {
      this.#error(`${outermost.open.text} starts here and has no end`, outermost.open, 'Close it with "}".');
    } else if (outermost?.kind === 'heredoc') {
      const { marker } = outermost;
      const hint = `Write ${marker} alone on a line behind the text.`;
      this.#error(
        `a heredoc starts here, and no line holds its end mark ${marker} alone`,
        outermost.open,
        hint,
      );
    }
  }

  #error(message: string, token: Token, hint: string): void {
    const range = { file: this.#file, start: token.start, end: token.end };
    this.#diagnostics.push({ code: 'template/syntax', severity: 'error', message, range, hint });
  }
}

const HINT_STRING = 'Close it with a double quote; for text of several lines write a heredoc (<<EOT).';

/** Whether `${` or `%{` stands at `at`. */
function isSequence(text: string, at: number): boolean {
  return (text[at] === '$' || text[at] === '%') && text[at + 1] === '{';
}

/** Whether `$${` or `%%{` stands at `at`: a literal `${` or `%{`. */
function isEscapedSequence(text: string, at: number): boolean {
  return (text[at] === '$' || text[at] === '%') && text[at + 1] === text[at] && text[at + 2] === '{';
}
