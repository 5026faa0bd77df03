import { numberFromText } from '../value/number.ts';
import { bool, NULL, number } from '../value/value.ts';
import type { AccessStep, BinaryOperator, Expression } from './ast.ts';
import { parseForObject, parseForTuple, parseObject, parseTuple } from './parse-collection.ts';
import { parseHeredoc, parseQuoted } from './parse-template.ts';
import { describe, type Token } from './token.ts';
import type { TokenStream } from './token-stream.ts';

/** How tight operators bind (hclsyntax/spec.md, "Binary operators"). */
const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  '||': 1,
  '&&': 2,
  '==': 3,
  '!=': 3,
  '<': 4,
  '>': 4,
  '<=': 4,
  '>=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '%': 6,
};

/** Operators in one chain: each makes the tree one level deeper. */
const MAX_CHAIN = 1000;

/** Parses an expression, conditionals included. Throws SyntaxFailure. */
export function parseExpression(stream: TokenStream): Expression {
  return stream.nested(() => {
    const condition = parseBinary(stream, 1);
    if (!stream.take('?')) return condition;
    const whenTrue = parseExpression(stream);
    stream.expect(':', '":" and the other value of the conditional', 'A conditional is `condition ? a : b`.');
    const whenFalse = parseExpression(stream);
    return {
      kind: 'conditional',
      condition,
      whenTrue,
      whenFalse,
      range: stream.rangeOf(condition.range, whenFalse.range),
    };
  });
}

function parseBinary(stream: TokenStream, minimum: number): Expression {
  let left = parseUnary(stream);
  for (let length = 0; ; length++) {
    const token = stream.peek();
    const precedence = Object.hasOwn(PRECEDENCE, token.kind) ? PRECEDENCE[token.kind as BinaryOperator] : 0;
    if (precedence < minimum) return left;
    if (length === MAX_CHAIN) stream.fail(`this expression chains more than ${MAX_CHAIN} operators`, token);
    stream.next();
    const right = parseBinary(stream, precedence + 1);
    const range = stream.rangeOf(left.range, right.range);
    left = { kind: 'binary', operator: token.kind as BinaryOperator, left, right, range };
  }
}

function parseUnary(stream: TokenStream): Expression {
  const token = stream.peek();
  if (token.kind !== '!' && token.kind !== '-') return parseAccess(stream);
  const operator = token.kind;
  stream.next();
  const operand = stream.nested(() => parseUnary(stream));
  return { kind: 'unary', operator, operand, range: stream.rangeOf(token, operand.range) };
}

function parseAccess(stream: TokenStream): Expression {
  const base = parsePrimary(stream);
  const steps = parseSteps(stream, false);
  const last = steps.at(-1);
  return last ? { kind: 'access', base, steps, range: stream.rangeOf(base.range, last.range) } : base;
}

/** `.name`, `.0`, `[key]`, `.*` and `[*]`; behind `.*` only names (`attributesOnly`). */
function parseSteps(stream: TokenStream, attributesOnly: boolean): AccessStep[] {
  const steps: AccessStep[] = [];
  for (;;) {
    const token = stream.peek();
    if (token.kind === '.') {
      if (attributesOnly && stream.peekSecond().kind !== 'ident') return steps;
      stream.next();
      steps.push(...parseDot(stream, token));
    } else if (token.kind === '[' && !attributesOnly) {
      stream.next();
      steps.push(parseBracket(stream, token));
    } else {
      return steps;
    }
  }
}

function parseDot(stream: TokenStream, dot: Token): AccessStep[] {
  const token = stream.peek();
  if (token.kind === 'ident') {
    stream.next();
    return [{ kind: 'attribute', name: token.text, range: stream.rangeOf(dot, token) }];
  }
  if (token.kind === '*') {
    stream.next();
    const steps = stream.nested(() => parseSteps(stream, true));
    return [{ kind: 'splat', steps, range: stream.rangeOf(dot, steps.at(-1)?.range ?? token) }];
  }
  if (token.kind === 'number' && /^[0-9]+(\.[0-9]+)?$/.test(token.text)) {
    // `list.0.1` is scanned as the number 0.1; these are two legacy indices.
    stream.next();
    const range = stream.rangeOf(dot, token);
    return token.text.split('.').map((digits) => {
      const value = number(
        numberFromText(digits) ?? stream.fail(`the index ${digits} is out of range`, token),
      );
      return { kind: 'index', key: { kind: 'literal', value, range }, range };
    });
  }
  return stream.fail(`expected a name after ".", got ${describe(token)}`, token);
}

function parseBracket(stream: TokenStream, open: Token): AccessStep {
  const close = stream.withNewlines(false, () => {
    if (stream.peek().kind !== '*' || stream.peekSecond().kind !== ']') return undefined;
    stream.next();
    return stream.next();
  });
  if (close) {
    const steps = stream.nested(() => parseSteps(stream, false));
    return { kind: 'splat', steps, range: stream.rangeOf(open, steps.at(-1)?.range ?? close) };
  }
  return stream.withNewlines(false, () => {
    const key = parseExpression(stream);
    const close = stream.expect(']', '"]" behind the index');
    return { kind: 'index', key, range: stream.rangeOf(open, close) };
  });
}

function parsePrimary(stream: TokenStream): Expression {
  const token = stream.peek();
  switch (token.kind) {
    case 'number': {
      stream.next();
      const value = numberFromText(token.text);
      if (!value) return stream.fail(`the number ${token.text.slice(0, 40)} is out of range`, token);
      return { kind: 'literal', value: number(value), range: stream.rangeOf(token) };
    }
    case 'ident':
      return parseNamed(stream);
    case 'open-quote':
      return parseQuoted(stream);
    case 'open-heredoc':
      return parseHeredoc(stream);
    case '(': {
      stream.next();
      return stream.withNewlines(false, () => {
        const inner = parseExpression(stream);
        const close = stream.expect(')', '")"');
        return { kind: 'parentheses', inner, range: stream.rangeOf(token, close) };
      });
    }
    case '[':
      return opensFor(stream) ? parseForTuple(stream) : parseTuple(stream);
    case '{':
      return opensFor(stream) ? parseForObject(stream) : parseObject(stream);
    default:
      return stream.fail(`expected a value, got ${describe(token)}`, token, hintFor(token));
  }
}

function hintFor(token: Token): string | undefined {
  if (token.text === "'") return 'Strings are written in double quotes.';
  if (token.kind === 'newline')
    return 'Write the value on the same line; inside ( ) it may start on the next.';
  return undefined;
}

/** Whether `[` or `{`, which is next, is followed by `for name`. */
function opensFor(stream: TokenStream): boolean {
  return stream.withNewlines(false, () => {
    const second = stream.peekSecond();
    return second.kind === 'ident' && second.text === 'for' && stream.peekThird().kind === 'ident';
  });
}

const KEYWORDS = new Map([
  ['true', bool(true)],
  ['false', bool(false)],
  ['null', NULL],
]);

/** A keyword, a variable or a function call. */
function parseNamed(stream: TokenStream): Expression {
  const first = stream.next();
  let name = first.text;
  let last = first;
  while (stream.take('::')) {
    last = stream.expect('ident', 'a name after "::"');
    name += `::${last.text}`;
  }
  if (stream.peek().kind === '(') return parseCall(stream, first, last, name);
  const range = stream.rangeOf(first, last);
  if (first !== last) return stream.fail(`expected "(" after the function name ${name}`, stream.peek());
  const value = KEYWORDS.get(name);
  return value ? { kind: 'literal', value, range } : { kind: 'variable', name, range };
}

function parseCall(stream: TokenStream, first: Token, last: Token, name: string): Expression {
  const nameRange = stream.rangeOf(first, last);
  stream.next();
  return stream.withNewlines(false, () => {
    const args: Expression[] = [];
    let expand = false;
    while (stream.peek().kind !== ')') {
      args.push(parseExpression(stream));
      if (stream.take('...')) {
        expand = true;
        stream.take(',');
        break;
      }
      if (!stream.take(',')) break;
    }
    const close = stream.expect(')', `"," or ")" in the arguments of ${name}`);
    return { kind: 'call', name, nameRange, arguments: args, expand, range: stream.rangeOf(first, close) };
  });
}
