import type { Expression, ForExpression, ObjectItem } from './ast.ts';
import { parseExpression } from './parse-expression.ts';
import { describe, type Token } from './token.ts';
import type { TokenStream } from './token-stream.ts';

/** `[a, b, c]` */
export function parseTuple(stream: TokenStream): Expression {
  const open = stream.next();
  return stream.withNewlines(false, () => {
    const items: Expression[] = [];
    while (stream.peek().kind !== ']') {
      items.push(parseExpression(stream));
      if (!stream.take(',')) break;
    }
    const close = stream.expect(']', '"," or "]" in the list', `The list begins on line ${open.start.line}.`);
    return { kind: 'tuple', items, range: stream.rangeOf(open, close) };
  });
}

/** `{ a = 1, b = 2 }`: items end with a comma or the line. */
export function parseObject(stream: TokenStream): Expression {
  const open = stream.next();
  return stream.withNewlines(true, () => {
    const items: ObjectItem[] = [];
    for (;;) {
      stream.skipNewlines();
      if (stream.peek().kind === '}') break;
      items.push(parseItem(stream));
      const token = stream.peek();
      if (token.kind === ',' || token.kind === 'newline') stream.next();
      else if (token.kind !== '}') {
        const hint = `The object begins on line ${open.start.line}.`;
        stream.fail(
          `expected "," or the end of the line or "}" in the object, got ${describe(token)}`,
          token,
          hint,
        );
      }
    }
    const close = stream.next();
    return { kind: 'object', items, range: stream.rangeOf(open, close) };
  });
}

function parseItem(stream: TokenStream): ObjectItem {
  const key = parseExpression(stream);
  if (!stream.take('=') && !stream.take(':')) {
    stream.fail(`expected "=" or ":" after the key, got ${describe(stream.peek())}`, stream.peek());
  }
  if (key.kind === 'access') {
    stream.report({
      code: 'template/syntax',
      severity: 'error',
      message: 'a key with a "." or an index can be read in two ways',
      range: key.range,
      hint: 'Quote it if it is text, or put it into parentheses if it is an expression.',
    });
  }
  return { key: literalKey(key), value: parseExpression(stream) };
}

/** A bare word as a key is text, a keyword too. */
function literalKey(key: Expression): Expression {
  if (key.kind !== 'variable') return key;
  return { kind: 'template', parts: [{ kind: 'text', text: key.name, range: key.range }], range: key.range };
}

/** `[for v in list : v if condition]` */
export function parseForTuple(stream: TokenStream): Expression {
  const open = stream.next();
  return stream.withNewlines(false, () => {
    const head = parseForHead(stream);
    const value = parseExpression(stream);
    const condition = parseCondition(stream);
    const close = stream.expect(']', '"]" behind the for expression');
    return {
      kind: 'for',
      ...head,
      key: undefined,
      value,
      grouped: false,
      condition,
      range: stream.rangeOf(open, close),
    };
  });
}

/** `{for k, v in map : k => v... if condition}` */
export function parseForObject(stream: TokenStream): Expression {
  const open = stream.next();
  return stream.withNewlines(false, () => {
    const head = parseForHead(stream);
    const key = parseExpression(stream);
    stream.expect('=>', '"=>" and the value of the item', 'In braces a for expression makes `key => value`.');
    const value = parseExpression(stream);
    const grouped = stream.take('...') !== undefined;
    const condition = parseCondition(stream);
    const close = stream.expect('}', '"}" behind the for expression');
    return { kind: 'for', ...head, key, value, grouped, condition, range: stream.rangeOf(open, close) };
  });
}

function parseForHead(stream: TokenStream): Pick<ForExpression, 'keyName' | 'valueName' | 'collection'> {
  stream.next();
  const names = parseForNames(stream);
  const collection = parseExpression(stream);
  stream.expect(':', '":" and the result of the for expression');
  return { ...names, collection };
}

/** `k, v in` or `v in`, as for expressions and directives have them. */
export function parseForNames(stream: TokenStream): Pick<ForExpression, 'keyName' | 'valueName'> {
  const first = stream.expect('ident', 'a name for the items after "for"');
  let second: Token | undefined;
  if (stream.take(',')) second = stream.expect('ident', 'a name for the values after ","');
  if (!stream.takeWord('in')) {
    stream.fail(`expected "in" in the for expression, got ${describe(stream.peek())}`, stream.peek());
  }
  return second
    ? { keyName: first.text, valueName: second.text }
    : { keyName: undefined, valueName: first.text };
}

function parseCondition(stream: TokenStream): Expression | undefined {
  return stream.takeWord('if') ? parseExpression(stream) : undefined;
}
