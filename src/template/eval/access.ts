import type { SourceRange } from '../../core/diagnostic.ts';
import type { AccessExpression, AccessStep } from '../hcl/ast.ts';
import { suggestion } from '../nearest.ts';
import { isInteger, numberToText, toBigInt, type Decimal } from '../value/number.ts';
import { DYNAMIC, listOf, NUMBER, STRING, type Type, typeName } from '../value/type.ts';
import { entriesOf, itemsOf, list, mark, tuple, UNKNOWN, unknown, type Value } from '../value/value.ts';
import { joinMarks } from '../value/marks.ts';
import { type Evaluation, evaluateIn, expectType, fault, unknownVariable } from './evaluate.ts';
import { findVariable, isNamespace, type Namespace } from './scope.ts';

/** `a.b[0].c[*].d` */
export function evaluateAccess(expression: AccessExpression, run: Evaluation): Value {
  const { base, steps } = expression;
  if (base.kind === 'variable') {
    const found = findVariable(run.scope, base.name);
    if (!found) return unknownVariable(base.name, base.range, run);
    const [first] = steps;
    if (isNamespace(found) && first?.kind === 'attribute') {
      const value = found.get(first.name) ?? notInNamespace(found, base.name, first.name, first.range, run);
      return follow(value, steps.slice(1), run);
    }
  }
  return follow(evaluateIn(base, run), steps, run);
}

function notInNamespace(
  space: Namespace,
  root: string,
  name: string,
  range: SourceRange,
  run: Evaluation,
): Value {
  const names = [...space.names()];
  const otherwise =
    names.length === 0 ? `There is no ${space.what} at all.` : `There is: ${names.sort().join(', ')}.`;
  const message = `there is no ${space.what} "${name}" (${root}.${name})`;
  return fault(run, 'template/unknown-variable', message, range, suggestion(name, names, otherwise));
}

function follow(start: Value, steps: readonly AccessStep[], run: Evaluation): Value {
  let value = start;
  for (const step of steps) {
    if (step.kind === 'attribute') value = attribute(value, step.name, step.range, run);
    else if (step.kind === 'index') value = index(value, evaluateIn(step.key, run), step.range, run);
    else value = splat(value, step.steps, run);
  }
  return value;
}

/** `value.name` of an object or map. */
function attribute(value: Value, name: string, range: SourceRange, run: Evaluation): Value {
  const { type, data, marks } = value;
  if (type.kind !== 'object' && type.kind !== 'map' && type.kind !== 'dynamic') {
    const hint =
      type.kind === 'list' || type.kind === 'tuple'
        ? 'Elements of a list are reached with [0], or all of them with [*].'
        : undefined;
    return fault(
      run,
      'template/unknown-attribute',
      `.${name} of a value of type ${typeName(type)}: it has no attributes`,
      range,
      hint,
    );
  }
  if (data === null) return fault(run, 'template/null-value', `.${name} of a value that is null`, range);
  if (data === undefined) return unknownAttribute(value, name, range, run);
  const found = entriesOf(value).get(name);
  if (found) return mark(found, marks);
  return missing(value, name, range, run);
}

function unknownAttribute(value: Value, name: string, range: SourceRange, run: Evaluation): Value {
  const { type, marks } = value;
  if (type.kind === 'map') return unknown(type.element, marks);
  if (type.kind !== 'object') return unknown(DYNAMIC, marks);
  const found = type.attributes.get(name);
  return found ? unknown(found, marks) : missing(value, name, range, run);
}

function missing(value: Value, name: string, range: SourceRange, run: Evaluation): Value {
  const names =
    value.type.kind === 'object' ? [...value.type.attributes.keys()] : [...entriesOf(value).keys()];
  const what = value.type.kind === 'object' ? 'the object has no attribute' : 'the map has no element';
  const otherwise = names.length === 0 ? 'It is empty.' : `It has: ${names.slice(0, 20).join(', ')}.`;
  return fault(
    run,
    'template/unknown-attribute',
    `${what} "${name}"`,
    range,
    suggestion(name, names, otherwise),
  );
}

/** `value[key]` */
function index(value: Value, key: Value, range: SourceRange, run: Evaluation): Value {
  const marks = joinMarks(value.marks, key.marks);
  if (value.data === null)
    return fault(run, 'template/null-value', 'an index into a value that is null', range);
  if (key.data === null) return fault(run, 'template/null-value', 'the index is null', range);
  switch (value.type.kind) {
    case 'dynamic':
      return unknown(DYNAMIC, marks);
    case 'list':
    case 'tuple': {
      const at = expectType(key, NUMBER, 'the index', range, run);
      if (at.data === undefined || value.data === undefined)
        return unknown(elementType(value.type, at), marks);
      const items = itemsOf(value);
      const decimal = at.data as Decimal;
      const item = isInteger(decimal) && decimal.digits >= 0n ? items[Number(toBigInt(decimal))] : undefined;
      if (item) return mark(item, marks);
      const count = items.length === 0 ? 'it is empty' : `it has ${items.length}, counted from 0`;
      return fault(
        run,
        'template/out-of-range',
        `there is no element ${numberToText(decimal)} in the list: ${count}`,
        range,
      );
    }
    case 'map':
    case 'object': {
      const name = expectType(key, STRING, 'the index', range, run);
      if (typeof name.data !== 'string')
        return unknown(value.type.kind === 'map' ? value.type.element : DYNAMIC, marks);
      return mark(attribute(value, name.data, range, run), key.marks);
    }
    default:
      return fault(
        run,
        'template/wrong-type',
        `a value of type ${typeName(value.type)} has no elements to index`,
        range,
      );
  }
}

function elementType(type: Type, at: Value): Type {
  if (type.kind === 'list') return type.element;
  if (type.kind === 'tuple' && at.data) return type.elements[Number(toBigInt(at.data as Decimal))] ?? DYNAMIC;
  return DYNAMIC;
}

/** `value[*].x`: of every element; null gives none, a single value one. */
function splat(value: Value, steps: readonly AccessStep[], run: Evaluation): Value {
  const { type, data, marks } = value;
  if (data === null) return mark(tuple([]), marks);
  const isSequence = type.kind === 'list' || type.kind === 'tuple' || type.kind === 'set';
  if (data === undefined) {
    if (type.kind === 'list' || type.kind === 'set')
      return unknown(listOf(followType(type.element, steps, run)), marks);
    return { ...UNKNOWN, marks };
  }
  const items = (isSequence ? itemsOf(value) : [value]).map((item) => follow(item, steps, run));
  if (type.kind !== 'list' && type.kind !== 'set') return mark(tuple(items), marks);
  const element = items[0]?.type ?? followType(type.element, steps, run);
  return mark(
    items.every((i) => i.type === element) || steps.length > 0 ? list(items, element) : tuple(items),
    marks,
  );
}

function followType(element: Type, steps: readonly AccessStep[], run: Evaluation): Type {
  return follow(unknown(element), steps, { ...run, diagnostics: [] }).type;
}
