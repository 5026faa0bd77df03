import type { AccessStep, Expression, TemplatePart } from './ast.ts';

/** A root name used in an expression, with the names that follow it: `var.a`, `data.http.x`. */
export interface Reference {
  readonly root: string;
  /** The attribute steps directly behind the root. */
  readonly path: readonly string[];
  /** The use itself: a variable or an access. */
  readonly expression: Expression;
}

/** Every use of a variable in an expression that is not bound inside it. */
export function references(expression: Expression): Reference[] {
  const found: Reference[] = [];
  visit(expression, new Set(), found);
  return found;
}

function visit(expression: Expression, bound: ReadonlySet<string>, found: Reference[]): void {
  const go = (inner: Expression): void => visit(inner, bound, found);
  switch (expression.kind) {
    case 'literal':
      return;
    case 'variable':
      if (!bound.has(expression.name)) found.push({ root: expression.name, path: [], expression });
      return;
    case 'access':
      if (expression.base.kind === 'variable') {
        const { name } = expression.base;
        if (!bound.has(name)) found.push({ root: name, path: leadingNames(expression.steps), expression });
      } else go(expression.base);
      return visitSteps(expression.steps, go);
    case 'parentheses':
      return go(expression.inner);
    case 'template':
      return visitParts(expression.parts, bound, found);
    case 'tuple':
      return expression.items.forEach(go);
    case 'object':
      return expression.items.forEach((item) => {
        go(item.key);
        go(item.value);
      });
    case 'for': {
      go(expression.collection);
      const inner = bind(bound, expression);
      for (const part of [expression.key, expression.value, expression.condition])
        if (part) visit(part, inner, found);
      return;
    }
    case 'call':
      return expression.arguments.forEach(go);
    case 'conditional':
      return [expression.condition, expression.whenTrue, expression.whenFalse].forEach(go);
    case 'binary':
      return [expression.left, expression.right].forEach(go);
    case 'unary':
      return go(expression.operand);
    case 'bound':
      return visit(expression.inner, new Set([...bound, ...expression.variables.keys()]), found);
  }
}

function leadingNames(steps: readonly AccessStep[]): string[] {
  const names: string[] = [];
  for (const step of steps) {
    if (step.kind !== 'attribute') break;
    names.push(step.name);
  }
  return names;
}

function visitSteps(steps: readonly AccessStep[], go: (inner: Expression) => void): void {
  for (const step of steps) {
    if (step.kind === 'index') go(step.key);
    else if (step.kind === 'splat') visitSteps(step.steps, go);
  }
}

function visitParts(parts: readonly TemplatePart[], bound: ReadonlySet<string>, found: Reference[]): void {
  for (const part of parts) {
    if (part.kind === 'interpolation') visit(part.expression, bound, found);
    else if (part.kind === 'if') {
      visit(part.condition, bound, found);
      visitParts(part.whenTrue, bound, found);
      visitParts(part.whenFalse, bound, found);
    } else if (part.kind === 'for') {
      visit(part.collection, bound, found);
      visitParts(part.body, bind(bound, part), found);
    }
  }
}

function bind(
  bound: ReadonlySet<string>,
  names: { readonly keyName: string | undefined; readonly valueName: string },
): Set<string> {
  const inner = new Set(bound).add(names.valueName);
  if (names.keyName !== undefined) inner.add(names.keyName);
  return inner;
}
