import { graphemes } from '../graphemes.ts';
import { tokenize } from './lexer.ts';
import type { Token, TokenKind } from './token.ts';

/** A token and the blanks before it. */
interface Piece {
  readonly token: Token;
  blanks: number;
}

/** A line in its three columns: what leads, `= value`, and a comment behind. */
interface Line {
  readonly lead: Piece[];
  readonly assign: Piece[];
  readonly comment: Piece[];
}

const INDENT = 2;
/** Deeper than anything that parses: indentation must not make the result grow with the square of the text. */
const MAX_LEVELS = 300;

/**
 * The canonical style of HCL, as `packer fmt` writes it: indentation by brackets, single blanks between tokens, `=` and
 * comments of neighbouring lines in one column. Works on tokens, so comments, line breaks and heredocs stay as they
 * are. Formatting twice equals formatting once. For text that doesn't parse the result means nothing.
 */
export function formatHcl(text: string): string {
  const { tokens } = tokenize(text, '');
  const lines = splitLines(tokens);
  indent(lines);
  for (const line of lines) {
    space(line.lead);
    space(line.assign);
  }
  align(
    lines,
    (line) => line.assign,
    (line) => width(line.lead),
  );
  align(
    lines,
    (line) => line.comment,
    (line) => width(line.lead) + width(line.assign),
  );
  const out: string[] = [];
  for (const { lead, assign, comment } of lines) {
    for (const { token, blanks } of [...lead, ...assign, ...comment])
      out.push(' '.repeat(blanks), token.text);
  }
  return out.join('');
}

function splitLines(tokens: readonly Token[]): Line[] {
  const lines: Line[] = [];
  let current: Piece[] = [];
  let previous: Token | undefined;
  for (const token of tokens) {
    if (token.kind === 'eof') break;
    const blanks = previous ? token.start.offset - previous.end.offset : 0;
    current.push({ token, blanks: previous?.end.line === token.start.line ? blanks : 0 });
    previous = token;
    if (token.kind === 'newline' || (token.kind === 'comment' && token.text.endsWith('\n'))) {
      lines.push(columns(current));
      current = [];
    }
  }
  if (current.length > 0) lines.push(columns(current));
  return lines;
}

/** Parts a line: a value moves into a column of its own only where it is whole on the line. */
function columns(pieces: Piece[]): Line {
  const comment = pieces.length > 1 && pieces.at(-1)?.token.kind === 'comment' ? pieces.splice(-1) : [];
  const at = pieces.findIndex(({ token }, i) => i > 0 && token.kind === '=');
  if (at === -1 || net(pieces.slice(at)) !== 0) return { lead: pieces, assign: [], comment };
  return { lead: pieces.slice(0, at), assign: pieces.slice(at), comment };
}

function bracket(kind: TokenKind): number {
  if (kind === '{' || kind === '[' || kind === '(' || kind === '${' || kind === '%{') return 1;
  return kind === '}' || kind === ']' || kind === ')' || kind === 'seq-end' ? -1 : 0;
}

function net(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { token }) => sum + bracket(token.kind), 0);
}

/** Brackets that a line leaves open; what a heredoc holds does not count. */
function netOfLine({ lead, assign }: Line): number {
  let sum = 0;
  for (const part of [lead, assign]) {
    for (const { token } of part) {
      sum += bracket(token.kind);
      if (token.kind === 'open-heredoc') break;
    }
  }
  return sum;
}

/** One step in for every line that opens brackets, however many, and out again where as many are closed. */
function indent(lines: readonly Line[]): void {
  const levels: number[] = [];
  for (const line of lines) {
    const [first] = line.lead;
    if (!first) continue;
    if (first.token.kind === 'newline') {
      first.blanks = 0;
      continue;
    }
    const open = netOfLine(line);
    for (let close = -open; close > 0 && levels.length > 0; ) {
      const top = levels.at(-1) as number;
      if (close < top) levels[levels.length - 1] = top - close;
      else levels.pop();
      close -= top;
    }
    first.blanks = INDENT * Math.min(levels.length, MAX_LEVELS);
    if (open > 0) levels.push(open);
  }
}

function space(pieces: readonly Piece[]): void {
  for (let i = 0; i + 1 < pieces.length; i++) {
    const after = pieces[i + 1] as Piece;
    const subject = (pieces[i] as Piece).token;
    after.blanks = blankBetween(pieces[i - 1]?.token, subject, after.token) ? 1 : 0;
  }
}

const LITERALS: ReadonlySet<TokenKind> = new Set(['quoted-text', 'heredoc-text']);
/** Behind one of these, or at the start, a minus is a sign. */
const BEFORE_SIGN: ReadonlySet<TokenKind | undefined> = new Set<TokenKind | undefined>([
  undefined,
  '(',
  '{',
  '[',
  '=',
  ':',
  ',',
  '?',
  '+',
  '*',
  '/',
  '%',
  '-',
  '==',
  '!=',
  '>',
  '>=',
  '<',
  '<=',
  '&&',
  '||',
  '!',
]);

/** Whether a blank stands between two tokens; the first rule that fits decides. */
function blankBetween(before: Token | undefined, subject: Token, after: Token): boolean {
  const a = subject.kind;
  const b = after.kind;
  if (b === 'newline') return false;
  if (a === 'ident' && b === '(') return false;
  if (a === '::' || b === '::' || a === '.' || b === '.' || b === ',' || b === '...') return false;
  if (a === ',') return true;
  if (LITERALS.has(a) || LITERALS.has(b) || a === 'open-quote' || a === 'open-heredoc') return false;
  if (b === 'close-quote' || b === 'close-heredoc') return false;
  if (a === 'ident' && subject.text === 'in' && before?.kind === 'ident') return true;
  if (b === '[' && (a === 'ident' || a === 'number' || bracket(a) < 0)) return false;
  if (a === '!') return false;
  if (a === '-') return !BEFORE_SIGN.has(before?.kind);
  if (a === '{' || b === '}') return !(a === '{' && b === '}');
  if ((a === '${' || a === '%{') && b === '{') return true;
  if (a === '}' && b === 'seq-end') return true;
  if (a === 'seq-end' && (b === '${' || b === '%{')) return false;
  return !(bracket(a) > 0 || bracket(b) < 0);
}

function width(pieces: readonly Piece[]): number {
  let sum = 0;
  for (const { token, blanks } of pieces) sum += blanks + textWidth(token.text);
  return sum;
}

function textWidth(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : graphemes(text).length;
}

/** Puts a column of neighbouring lines that have it one blank behind the widest text before it. */
function align(
  lines: readonly Line[],
  column: (line: Line) => Piece[],
  before: (line: Line) => number,
): void {
  let chain: Line[] = [];
  const close = (): void => {
    const widest = chain.reduce((most, line) => Math.max(most, before(line)), 0);
    for (const line of chain) (column(line)[0] as Piece).blanks = widest - before(line) + 1;
    chain = [];
  };
  for (const line of lines) {
    if (column(line).length > 0) chain.push(line);
    else if (chain.length > 0) close();
  }
  if (chain.length > 0) close();
}
