import type { XmlNode } from './node.ts';
import { XPathError } from './parse-xpath.ts';
import { callFunction, type Place, toBoolean, toNumber, toText, type XPathValue } from './xpath-functions.ts';
import type { Expression, NodeTest, Step } from './xpath-syntax.ts';

/** Nodes that one expression may look at; beyond, it is made to take long. */
const MAX_VISITS = 2_000_000;

/** What an expression gives on a document (XPath 1.0). Throws XPathError where it looks at too much. */
export function evaluateXPath(expression: Expression, document: XmlNode): XPathValue {
  return new Evaluation(document).value(expression, { node: document, position: 1, size: 1 });
}

class Evaluation {
  readonly #document: XmlNode;
  #visits = 0;

  constructor(document: XmlNode) {
    this.#document = document;
  }

  value(e: Expression, place: Place): XPathValue {
    switch (e.type) {
      case 'number':
      case 'text':
        return e.value;
      case 'negative':
        return -toNumber(this.value(e.of, place));
      case 'call': {
        if (e.name !== '[]')
          return callFunction(
            e.name,
            e.args.map((arg) => this.value(arg, place)),
            place,
          );
        const [from, ...predicates] = e.args as [Expression, ...Expression[]];
        return this.#filtered(nodesOf(this.value(from, place)), predicates);
      }
      case 'binary':
        return this.#binary(e, place);
      case 'path':
        return this.#path(e, place);
    }
  }

  #binary(e: Extract<Expression, { type: 'binary' }>, place: Place): XPathValue {
    const left = this.value(e.left, place);
    if (e.operator === 'or') return toBoolean(left) || toBoolean(this.value(e.right, place));
    if (e.operator === 'and') return toBoolean(left) && toBoolean(this.value(e.right, place));
    const right = this.value(e.right, place);
    if (e.operator === '|') return inOrder([...nodesOf(left), ...nodesOf(right)]);
    const [a, b] = [toNumber(left), toNumber(right)];
    switch (e.operator) {
      case '+':
        return a + b;
      case '-':
        return a - b;
      case '*':
        return a * b;
      case 'div':
        return a / b;
      case 'mod':
        return a % b;
      default:
        return compare(left, e.operator, right);
    }
  }

  #path({ from, steps }: Extract<Expression, { type: 'path' }>, place: Place): readonly XmlNode[] {
    let nodes: readonly XmlNode[];
    if (from === 'root') nodes = [this.#document];
    else nodes = from === 'here' ? [place.node] : nodesOf(this.value(from, place));
    for (const step of steps) nodes = inOrder(nodes.flatMap((node) => this.#step(step, node)));
    return nodes;
  }

  #step({ axis, test, predicates }: Step, node: XmlNode): readonly XmlNode[] {
    const found: XmlNode[] = [];
    for (const candidate of onAxis(axis, node)) {
      if (++this.#visits > MAX_VISITS) throw new XPathError('the expression looks at too many nodes');
      if (fits(candidate, test, axis)) found.push(candidate);
    }
    return this.#filtered(found, predicates);
  }

  /** `nodes` in the order of their axis, in which positions count. */
  #filtered(nodes: readonly XmlNode[], predicates: readonly Expression[]): readonly XmlNode[] {
    let left = nodes;
    for (const predicate of predicates)
      left = left.filter((node, i) => {
        const value = this.value(predicate, { node, position: i + 1, size: left.length });
        return typeof value === 'number' ? value === i + 1 : toBoolean(value);
      });
    return left;
  }
}

function nodesOf(value: XPathValue): readonly XmlNode[] {
  if (typeof value === 'object') return value;
  throw new XPathError(`expected nodes, not ${JSON.stringify(value)}`);
}

function inOrder(nodes: readonly XmlNode[]): readonly XmlNode[] {
  return [...new Set(nodes)].sort((a, b) => a.order - b.order);
}

/** goss passes over blanks between elements, where they are not the first thing inside one. */
function childrenOf({ children }: XmlNode): readonly XmlNode[] {
  return children.filter((child, i) => i === 0 || child.kind !== 'text' || child.value.trim() !== '');
}

function* onAxis(axis: string, node: XmlNode): Generator<XmlNode> {
  switch (axis) {
    case 'self':
      yield node;
      break;
    case 'child':
      yield* childrenOf(node);
      break;
    case 'attribute':
      yield* node.attributes;
      break;
    case 'parent':
      if (node.parent) yield node.parent;
      break;
    case 'descendant-or-self':
      yield node;
      yield* descendants(node);
      break;
    case 'descendant':
      yield* descendants(node);
      break;
    case 'ancestor-or-self':
    case 'ancestor':
      if (axis === 'ancestor-or-self') yield node;
      for (let above = node.parent; above; above = above.parent) yield above;
      break;
    case 'following-sibling':
      yield* siblings(node).after;
      break;
    case 'preceding-sibling':
      yield* siblings(node).before;
      break;
    case 'following':
    case 'preceding':
      for (let at: XmlNode | undefined = node; at; at = at.parent)
        for (const sibling of axis === 'following' ? siblings(at).after : siblings(at).before) {
          const inside = [sibling, ...descendants(sibling)];
          yield* axis === 'following' ? inside : inside.reverse();
        }
  }
}

function* descendants(node: XmlNode): Generator<XmlNode> {
  for (const child of childrenOf(node)) {
    yield child;
    yield* descendants(child);
  }
}

/** From the nearest to the farthest. */
function siblings(node: XmlNode): {
  readonly before: readonly XmlNode[];
  readonly after: readonly XmlNode[];
} {
  if (!node.parent || node.kind === 'attribute') return { before: [], after: [] };
  const all = childrenOf(node.parent);
  const at = all.indexOf(node);
  return { before: all.slice(0, at).reverse(), after: all.slice(at + 1) };
}

function fits(node: XmlNode, test: NodeTest, axis: string): boolean {
  if ('kind' in test) {
    if (test.kind === 'node') return true;
    if (test.kind === 'text') return node.kind === 'text' || node.kind === 'cdata';
    return node.kind === (test.kind === 'comment' ? 'comment' : 'instruction');
  }
  if (node.kind !== (axis === 'attribute' ? 'attribute' : 'element')) return false;
  if (test.prefix !== '*' && test.prefix !== node.prefix) return false;
  return test.name === '*' || test.name === node.name;
}

/** Of nodes, one that compares is enough (XPath 1.0, section 3.4). */
function compare(left: XPathValue, operator: string, right: XPathValue): boolean {
  if (typeof left === 'object' && typeof right !== 'boolean')
    return left.some((node) => compare(toText([node]), operator, right));
  if (typeof right === 'object' && typeof left !== 'boolean')
    return right.some((node) => compare(left, operator, toText([node])));
  if (operator === '=' || operator === '!=') {
    const same =
      typeof left === 'boolean' || typeof right === 'boolean'
        ? toBoolean(left) === toBoolean(right)
        : typeof left === 'number' || typeof right === 'number'
          ? toNumber(left) === toNumber(right)
          : left === right;
    return same === (operator === '=');
  }
  const [a, b] = [toNumber(left), toNumber(right)];
  if (operator === '<') return a < b;
  if (operator === '<=') return a <= b;
  return operator === '>' ? a > b : a >= b;
}
