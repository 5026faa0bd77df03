import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import type { Expression, HclAttribute, HclBlock, HclBody } from './ast.ts';
import { type TemplatePlace, tokenize, tokenizeTemplate } from './lexer.ts';
import { parseExpression } from './parse-expression.ts';
import { parseHeredoc, unescapeQuoted } from './parse-template.ts';
import { describe, type Token, type TokenKind } from './token.ts';
import { SyntaxFailure, TokenStream } from './token-stream.ts';

/**
 * Parses HCL's native syntax (hclsyntax/spec.md). Everything found wrong comes back at once, and the body holds all
 * that could be read. Linear in the length of `text`; never throws.
 */
export function parseHcl(text: string, file: string): { body: HclBody; diagnostics: Diagnostic[] } {
  const { tokens, diagnostics } = tokenize(text, file);
  const stream = new TokenStream(tokens, text, file, diagnostics);
  return { body: parseBody(stream, 'eof', stream.peek()), diagnostics };
}

/** Parses a whole text as a template: `${ }` and `%{ }` in it are read, quotes and line breaks are plain text. */
export function parseHclTemplate(
  text: string,
  file: string,
  place?: TemplatePlace,
): { expression: Expression | undefined; diagnostics: Diagnostic[] } {
  const { tokens, diagnostics } = tokenizeTemplate(text, file, place);
  const stream = new TokenStream(tokens, text, file, diagnostics);
  try {
    const expression = parseHeredoc(stream);
    return { expression: diagnostics.length === 0 ? expression : undefined, diagnostics };
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error;
    stream.report(error.diagnostic);
    return { expression: undefined, diagnostics };
  }
}

/** Parses one expression, as a variable's value on the command line is. */
export function parseHclExpression(
  text: string,
  file: string,
): { expression: Expression | undefined; diagnostics: Diagnostic[] } {
  const { tokens, diagnostics } = tokenize(text, file);
  const stream = new TokenStream(tokens, text, file, diagnostics);
  try {
    const expression = stream.withNewlines(false, () => {
      const parsed = parseExpression(stream);
      stream.expect('eof', 'nothing behind the expression');
      return parsed;
    });
    return { expression: diagnostics.length === 0 ? expression : undefined, diagnostics };
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error;
    stream.report(error.diagnostic);
    return { expression: undefined, diagnostics };
  }
}

/** Items up to `end`, which is taken, too. `open` is where the body began. */
function parseBody(stream: TokenStream, end: TokenKind, open: Token): HclBody {
  const attributes = new Map<string, HclAttribute>();
  const blocks: HclBlock[] = [];
  const oneLine = end === '}' && !['newline', '}', 'eof'].includes(stream.peek().kind);
  for (;;) {
    stream.skipNewlines();
    const token = stream.peek();
    if (token.kind === end) {
      stream.next();
      return { attributes, blocks, range: stream.rangeOf(open, token) };
    }
    if (token.kind === 'eof') {
      reportOpenBlock(stream, open);
      return { attributes, blocks, range: stream.rangeOf(open, token) };
    }
    const from = stream.position;
    try {
      const item = parseItem(stream);
      if ('labels' in item) blocks.push(item);
      else addAttribute(attributes, item, stream);
      if (oneLine) expectOnlyItem(item, end, stream);
      else expectLineEnd(stream, end);
    } catch (error) {
      if (!(error instanceof SyntaxFailure)) throw error;
      stream.report(error.diagnostic);
      stream.recover(from);
      // A brace too many at the top would stop recovery on the spot.
      if (stream.position === from) stream.next();
    }
  }
}

/** Every block around the end of the file is open: one complaint, about the innermost, is enough. */
function reportOpenBlock(stream: TokenStream, open: Token): void {
  const hint = 'Add the missing "}".';
  if (stream.diagnostics.some((d) => d.hint === hint)) return;
  stream.report({
    code: 'template/syntax',
    severity: 'error',
    message: 'a block is opened here and never closed',
    range: stream.rangeOf(open),
    hint,
  });
}

function addAttribute(attributes: Map<string, HclAttribute>, item: HclAttribute, stream: TokenStream): void {
  const first = attributes.get(item.name);
  if (!first) {
    attributes.set(item.name, item);
    return;
  }
  stream.report({
    code: 'template/duplicate',
    severity: 'error',
    message: `the argument "${item.name}" was already set on line ${first.range.start.line}`,
    range: item.nameRange,
    hint: 'Remove one of the two.',
  });
}

/** A block whose first item stands behind its brace ends on that line, and the item is an argument. */
function expectOnlyItem(item: HclAttribute | HclBlock, end: TokenKind, stream: TokenStream): void {
  const token = stream.peek();
  const holdsBlock = 'labels' in item;
  if (token.kind === end && !holdsBlock) return;
  stream.report({
    code: 'template/syntax',
    severity: 'error',
    message: 'a block that begins on the line of its brace holds one argument, and "}" behind it',
    range: holdsBlock ? item.range : stream.rangeOf(token),
    hint: 'Begin a new line behind "{".',
  });
}

function expectLineEnd(stream: TokenStream, end: TokenKind): void {
  const token = stream.peek();
  if (token.kind === 'newline' || token.kind === 'eof') return;
  if (token.kind === end) {
    stream.report({
      code: 'template/syntax',
      severity: 'error',
      message: `expected the end of the line, got ${describe(token)}`,
      range: stream.rangeOf(token),
      hint: 'Write "}" on a line of its own.',
    });
    return;
  }
  stream.fail(
    `expected the end of the line, got ${describe(token)}`,
    token,
    'Write each argument on a line of its own.',
  );
}

function parseItem(stream: TokenStream): HclAttribute | HclBlock {
  const name = stream.expect('ident', 'the name of an argument or block');
  const nameRange = stream.rangeOf(name);
  if (stream.take('=')) {
    const expression = parseExpression(stream);
    const range: SourceRange = { ...nameRange, end: expression.range.end };
    return { name: name.text, expression, text: stream.textOf(expression.range), range, nameRange };
  }
  const labels: string[] = [];
  const labelRanges: SourceRange[] = [];
  let last = name;
  for (;;) {
    const token = stream.peek();
    if (token.kind === '{') {
      stream.next();
      const range = stream.rangeOf(name, last);
      const body = stream.nested(() => parseBody(stream, '}', token));
      return { type: name.text, labels, labelRanges, body, range };
    }
    if (token.kind === 'ident') {
      last = stream.next();
      labels.push(token.text);
      labelRanges.push(stream.rangeOf(token));
    } else if (token.kind === 'open-quote') {
      labels.push(parseLabel(stream));
      last = stream.expect('close-quote', 'the end of the label', 'Labels hold no "${" or "%{".');
      labelRanges.push(stream.rangeOf(token, last));
    } else if (token.kind === ':' && labels.length === 0) {
      return stream.fail(
        `expected "=" or "{" after "${name.text}", got ":"`,
        token,
        'Arguments are set with "=".',
      );
    } else {
      return stream.fail(
        `expected ${labels.length === 0 ? '"=" or "{"' : '"{"'} after "${name.text}", got ${describe(token)}`,
        token,
        `Write \`${name.text} = …\` for an argument or \`${name.text} { … }\` for a block.`,
      );
    }
  }
}

/** The text of a quoted label, up to its closing quote. */
function parseLabel(stream: TokenStream): string {
  stream.next();
  const text = stream.take('quoted-text');
  return text ? unescapeQuoted(stream, text) : '';
}
