import type { SourcePosition, SourceRange } from '../../core/diagnostic.ts';

/** Punctuation and operators that stand for themselves. */
export type Punctuation =
  | '{'
  | '}'
  | '['
  | ']'
  | '('
  | ')'
  | ','
  | '.'
  | '...'
  | ':'
  | '::'
  | '?'
  | '='
  | '=>'
  | '=='
  | '!='
  | '<'
  | '>'
  | '<='
  | '>='
  | '&&'
  | '||'
  | '!'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%';

/**
 * Kinds of tokens, as HCL's own scanner splits a text: the canonical style is defined over these.
 * `seq-end` is the `}` or `~}` that closes `${` or `%{`. A comment to the end of a line includes the line break.
 */
export type TokenKind =
  | Punctuation
  | 'ident'
  | 'number'
  | 'open-quote'
  | 'close-quote'
  | 'quoted-text'
  | 'open-heredoc'
  | 'close-heredoc'
  | 'heredoc-text'
  | '${'
  | '%{'
  | 'seq-end'
  | 'newline'
  | 'comment'
  | 'invalid'
  | 'eof';

export interface Token {
  readonly kind: TokenKind;
  /** As written. */
  readonly text: string;
  readonly start: SourcePosition;
  readonly end: SourcePosition;
}

/** The stretch from the start of `first` to the end of `last`. */
export function between(
  file: string,
  first: { readonly start: SourcePosition },
  last: { readonly end: SourcePosition },
): SourceRange {
  return { file, start: first.start, end: last.end };
}

const NAMES: Partial<Record<TokenKind, string>> = {
  ident: 'a name',
  number: 'a number',
  'open-quote': 'a string',
  'close-quote': 'the end of a string',
  'quoted-text': 'text',
  'heredoc-text': 'text',
  'open-heredoc': 'a heredoc',
  'close-heredoc': 'the end of a heredoc',
  'seq-end': '"}"',
  newline: 'the end of the line',
  comment: 'a comment',
  eof: 'the end of the file',
};

/** What a token is called in messages. */
export function describe(token: Token): string {
  if (token.kind === 'ident' || token.kind === 'number') return `"${token.text}"`;
  if (token.kind === 'invalid') return `the character ${JSON.stringify(token.text)}`;
  return NAMES[token.kind] ?? `"${token.text}"`;
}
