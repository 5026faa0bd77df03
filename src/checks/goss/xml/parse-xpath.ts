import { AXES, type Expression, type NodeTest, type Step } from './xpath-syntax.ts';
import { isFunction } from './xpath-functions.ts';

/** A text is no XPath expression. */
export class XPathError extends Error {}

const MAX_DEPTH = 100;
const TOKEN =
  /\s*(?:("[^"]*"|'[^']*')|(\d+(?:\.\d*)?|\.\d+)|([\p{L}_][\p{L}\p{M}\p{N}_.-]*)|(\/\/|::|\.\.|!=|<=|>=|[/@.()[\],|+*=<>:$-]))/uy;
const KINDS = new Set(['node', 'text', 'comment', 'processing-instruction']);
/** Operators from the weakest to the strongest (XPath 1.0, section 3). */
const LEVELS: readonly (readonly string[])[] = [
  ['or'],
  ['and'],
  ['=', '!='],
  ['<', '<=', '>', '>='],
  ['+', '-'],
  ['*', 'div', 'mod'],
];
const ANYTHING: Step = { axis: 'descendant-or-self', test: { kind: 'node' }, predicates: [] };

/** Reads an expression. Throws XPathError that says what was found where. */
export function parseXPath(text: string): Expression {
  const parser = new XPathParser(tokensOf(text));
  return parser.whole();
}

interface Token {
  readonly text: string;
  readonly is: 'literal' | 'number' | 'name' | 'sign' | 'end';
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== '') {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw new XPathError(`unexpected ${JSON.stringify(text.slice(at).trim()[0])}`);
    const [all, literal, number, name, sign = ''] = match;
    at += all.length;
    if (literal !== undefined) tokens.push({ text: literal.slice(1, -1), is: 'literal' });
    else if (number !== undefined) tokens.push({ text: number, is: 'number' });
    else if (name !== undefined) tokens.push({ text: name, is: 'name' });
    else tokens.push({ text: sign, is: 'sign' });
  }
  return tokens;
}

class XPathParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#expression();
    if (this.#peek().is !== 'end') throw this.#unexpected();
    return expression;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? { text: 'end', is: 'end' };
  }

  #sign(text: string, ahead = 0): boolean {
    const token = this.#peek(ahead);
    return token.is === 'sign' && token.text === text;
  }

  #take(text: string): boolean {
    if (!this.#sign(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected(text);
  }

  #unexpected(wanted?: string): XPathError {
    const { text } = this.#peek();
    return new XPathError(`unexpected ${text}${wanted === undefined ? '' : `; expected ${wanted}`}`);
  }

  #expression(level = 0): Expression {
    const operators = LEVELS[level];
    if (!operators) return this.#negative();
    if (level === 0 && ++this.#depth > MAX_DEPTH) throw new XPathError(`nested more than ${MAX_DEPTH} deep`);
    let left = this.#expression(level + 1);
    for (let { is, text } = this.#peek(); (is === 'sign' || is === 'name') && operators.includes(text); ) {
      this.#at++;
      left = { type: 'binary', operator: text, left, right: this.#expression(level + 1) };
      ({ is, text } = this.#peek());
    }
    if (level === 0) this.#depth--;
    return left;
  }

  #negative(): Expression {
    let minus = false;
    while (this.#take('-')) minus = !minus;
    const of = this.#union();
    return minus ? { type: 'negative', of } : of;
  }

  #union(): Expression {
    let left = this.#path();
    while (this.#take('|')) left = { type: 'binary', operator: '|', left, right: this.#path() };
    return left;
  }

  #path(): Expression {
    const primary = this.#primary();
    if (primary) {
      const predicates = this.#predicates();
      // Positions count in all that the expression gives, not in what a step finds of each node.
      const from: Expression =
        predicates.length === 0 ? primary : { type: 'call', name: '[]', args: [primary, ...predicates] };
      const steps = this.#moreSteps();
      return steps.length === 0 ? from : { type: 'path', from, steps };
    }
    if (this.#sign('/') || this.#sign('//')) {
      if (this.#sign('/') && !this.#startsStep(1)) {
        this.#at++;
        return { type: 'path', from: 'root', steps: [] };
      }
      return { type: 'path', from: 'root', steps: this.#moreSteps() };
    }
    return { type: 'path', from: 'here', steps: [this.#step(), ...this.#moreSteps()] };
  }

  #startsStep(ahead: number): boolean {
    const { is } = this.#peek(ahead);
    return is === 'name' || ['.', '..', '@', '*'].some((sign) => this.#sign(sign, ahead));
  }

  #moreSteps(): Step[] {
    const steps: Step[] = [];
    for (;;) {
      if (this.#take('//')) steps.push(ANYTHING, this.#step());
      else if (this.#take('/')) steps.push(this.#step());
      else return steps;
    }
  }

  #step(): Step {
    if (this.#take('.')) return { axis: 'self', test: { kind: 'node' }, predicates: this.#predicates() };
    if (this.#take('..')) return { axis: 'parent', test: { kind: 'node' }, predicates: this.#predicates() };
    let axis = 'child';
    if (this.#take('@')) axis = 'attribute';
    else if (this.#sign('::', 1)) {
      axis = this.#peek().text;
      if (!AXES.has(axis)) throw new XPathError(`unknown axis ${axis}`);
      this.#at += 2;
    }
    return { axis, test: this.#test(), predicates: this.#predicates() };
  }

  #test(): NodeTest {
    if (this.#take('*')) return { prefix: '*', name: '*' };
    const { is, text } = this.#peek();
    if (is !== 'name') throw this.#unexpected('a name');
    this.#at++;
    if (KINDS.has(text) && this.#take('(')) {
      if (this.#peek().is === 'literal') this.#at++;
      this.#expect(')');
      return { kind: text as 'node' };
    }
    if (this.#sign('(')) throw new XPathError(`unknown function ${text}()`);
    if (!this.#take(':')) return { prefix: '', name: text };
    if (this.#take('*')) return { prefix: text, name: '*' };
    const local = this.#peek();
    if (local.is !== 'name') throw this.#unexpected('a name');
    this.#at++;
    return { prefix: text, name: local.text };
  }

  #predicates(): Expression[] {
    const found: Expression[] = [];
    while (this.#take('[')) {
      found.push(this.#expression());
      this.#expect(']');
    }
    return found;
  }

  #primary(): Expression | undefined {
    const { is, text } = this.#peek();
    if (is === 'literal' || is === 'number') {
      this.#at++;
      return is === 'literal' ? { type: 'text', value: text } : { type: 'number', value: Number(text) };
    }
    if (this.#take('(')) {
      const inner = this.#expression();
      this.#expect(')');
      return inner;
    }
    if (is !== 'name' || !this.#sign('(', 1) || KINDS.has(text)) return undefined;
    this.#at += 2;
    const args: Expression[] = [];
    if (!this.#take(')')) {
      do args.push(this.#expression());
      while (this.#take(','));
      this.#expect(')');
    }
    if (!isFunction(text, args.length))
      throw new XPathError(`no function ${text}() takes ${args.length} arguments`);
    return { type: 'call', name: text, args };
  }
}
