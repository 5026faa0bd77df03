import type { Expression } from './ast.ts';
import { unindent } from './heredoc.ts';
import { parseExpression } from './parse-expression.ts';
import { parseForNames } from './parse-collection.ts';
import { structure, type FlatPart } from './template-structure.ts';
import { describe, type Token } from './token.ts';
import type { TokenStream } from './token-stream.ts';

/** A template in double quotes, from its opening quote to its closing one. */
export function parseQuoted(stream: TokenStream): Expression {
  const open = stream.next();
  const parts: FlatPart[] = [];
  for (;;) {
    const token = stream.next();
    if (token.kind === 'close-quote') return template(stream, open, token, parts);
    if (token.kind === 'quoted-text') {
      parts.push({ kind: 'text', text: unescapeQuoted(stream, token), range: stream.rangeOf(token) });
    } else parts.push(parseSequence(stream, token));
  }
}

/** `<<EOT` and `<<-EOT`, to the line of the end mark. */
export function parseHeredoc(stream: TokenStream): Expression {
  const open = stream.next();
  const parts: FlatPart[] = [];
  for (;;) {
    const token = stream.next();
    if (token.kind === 'close-heredoc') {
      return template(stream, open, token, open.text.startsWith('<<-') ? unindent(parts) : parts);
    }
    if (token.kind === 'heredoc-text') {
      const text = token.text.replace(/([$%])\1\{/g, '$1{');
      parts.push({ kind: 'text', text, range: stream.rangeOf(token) });
    } else parts.push(parseSequence(stream, token));
  }
}

function template(stream: TokenStream, open: Token, close: Token, parts: FlatPart[]): Expression {
  return {
    kind: 'template',
    parts: stream.nested(() => structure(stream, parts)),
    range: stream.rangeOf(open, close),
  };
}

/** `${ … }` or `%{ … }`, whose opening token was taken. */
function parseSequence(stream: TokenStream, open: Token): FlatPart {
  return stream.withNewlines(false, () => {
    const part = open.kind === '${' ? parseInterpolation(stream, open) : parseDirective(stream, open);
    const close = stream.expect(
      'seq-end',
      `"}" behind ${open.kind === '${' ? 'the expression' : 'the directive'}`,
    );
    const trim = { trimBefore: open.text.endsWith('~'), trimAfter: close.text.startsWith('~') };
    return { ...part, ...trim, range: stream.rangeOf(open, close) };
  });
}

function parseInterpolation(stream: TokenStream, open: Token): FlatPart {
  const expression = parseExpression(stream);
  return {
    kind: 'interpolation',
    expression,
    range: stream.rangeOf(open),
    trimBefore: false,
    trimAfter: false,
  };
}

function parseDirective(stream: TokenStream, open: Token): FlatPart {
  const base = { range: stream.rangeOf(open), trimBefore: false, trimAfter: false };
  const word = stream.expect('ident', 'if, else, endif, for or endfor');
  switch (word.text) {
    case 'if':
      return { ...base, kind: 'if', condition: parseExpression(stream) };
    case 'for': {
      const names = parseForNames(stream);
      return { ...base, kind: 'for', ...names, collection: parseExpression(stream) };
    }
    case 'else':
    case 'endif':
    case 'endfor':
      return { ...base, kind: word.text };
    default:
      return stream.fail(
        `expected if, else, endif, for or endfor, got ${describe(word)}`,
        word,
        'A literal "%{" is written "%%{".',
      );
  }
}

const ESCAPES = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['"', '"'],
  ['\\', '\\'],
]);

/** Text between quotes with its escapes read (hclsyntax/spec.md, "Quoted Templates"). */
export function unescapeQuoted(stream: TokenStream, token: Token): string {
  if (!/[\\$%]/.test(token.text)) return token.text;
  return token.text.replace(
    /([$%])\1\{|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\(.|$)/gsu,
    (whole: string, sigil?: string, short?: string, long?: string, char?: string) => {
      if (sigil !== undefined) return `${sigil}{`;
      const digits = short ?? long;
      if (digits !== undefined) {
        const point = Number.parseInt(digits, 16);
        // Half a surrogate pair is no character (Go writes U+FFFD, too).
        if (point <= 0x10ffff)
          return String.fromCodePoint(point >= 0xd800 && point <= 0xdfff ? 0xfffd : point);
      }
      const plain = ESCAPES.get(char ?? '');
      if (plain !== undefined) return plain;
      return stream.fail(
        `the escape ${JSON.stringify(whole)} is unknown; known are \\n, \\r, \\t, \\", \\\\, \\uNNNN and \\UNNNNNNNN`,
        token,
        'Write a backslash as "\\\\".',
      );
    },
  );
}
