import type { SourceRange } from '../../core/diagnostic.ts';
import type { ForExpression } from '../hcl/ast.ts';
import { joinMarks, type Marks } from '../value/marks.ts';
import { BOOL, DYNAMIC, STRING, typeName } from '../value/type.ts';
import {
  entriesOf,
  itemsOf,
  mark,
  number,
  object,
  string,
  tuple,
  UNKNOWN,
  unknown,
  type Value,
} from '../value/value.ts';
import { compareText } from '../value/set.ts';
import { mayStep } from './budget.ts';
import { type Evaluation, evaluateIn, expectType, fault } from './evaluate.ts';
import { innerScope } from './scope.ts';

/** Key and value of every element, in HCL's order: lists as they are, maps by key. */
export function elements(collection: Value): [Value, Value][] | undefined {
  if (collection.data instanceof Map) {
    return [...entriesOf(collection)].sort(([a], [b]) => compareText(a, b)).map(([k, v]) => [string(k), v]);
  }
  if (!Array.isArray(collection.data)) return undefined;
  const items = itemsOf(collection);
  if (collection.type.kind === 'set') return items.map((item) => [item, item]);
  return items.map((item, i) => [number(i), item]);
}

/** Reports a collection that can't be gone through; undefined when it is unknown or was reported. */
export function knownElements(
  collection: Value,
  range: SourceRange,
  run: Evaluation,
): [Value, Value][] | undefined {
  if (collection.data === undefined) return undefined;
  if (collection.data === null) {
    fault(
      run,
      'template/null-value',
      'what to go through is null; expected a list, set, map or object',
      range,
    );
    return undefined;
  }
  const found = elements(collection);
  if (!found) {
    const message = `expected a list, set, map or object to go through, got ${typeName(collection.type)}`;
    fault(run, 'template/wrong-type', message, range);
  }
  return found;
}

/** Variables of one turn. */
export function turn(
  run: Evaluation,
  names: { readonly keyName: string | undefined; readonly valueName: string },
  key: Value,
  value: Value,
): Evaluation {
  const variables = new Map<string, Value>();
  if (names.keyName !== undefined) variables.set(names.keyName, key);
  variables.set(names.valueName, value);
  return { ...run, scope: innerScope(run.scope, variables) };
}

/** `[for …]` and `{for …}` */
export function evaluateFor(expression: ForExpression, run: Evaluation): Value {
  const collection = evaluateIn(expression.collection, run);
  const items = knownElements(collection, expression.collection.range, run);
  if (!items) return unknown(DYNAMIC, collection.marks);
  return expression.key
    ? forObject(expression, expression.key, items, collection.marks, run)
    : forTuple(expression, items, collection.marks, run);
}

/** Whether an element stays; undefined where that is not known. */
function keeps(expression: ForExpression, inner: Evaluation): Value | undefined {
  if (!expression.condition) return undefined;
  return expectType(
    evaluateIn(expression.condition, inner),
    BOOL,
    'the condition',
    expression.condition.range,
    inner,
  );
}

function forTuple(expression: ForExpression, items: [Value, Value][], start: Marks, run: Evaluation): Value {
  let marks = start;
  const out: Value[] = [];
  for (const [key, value] of items) {
    if (!mayStep(run, expression.range)) return UNKNOWN;
    const inner = turn(run, expression, key, value);
    const keep = keeps(expression, inner);
    if (keep) {
      marks = joinMarks(marks, keep.marks);
      if (keep.data === undefined) return unknown(DYNAMIC, marks);
      if (keep.data === false) continue;
    }
    out.push(evaluateIn(expression.value, inner));
  }
  return mark(tuple(out), marks);
}

function forObject(
  expression: ForExpression,
  keyExpression: NonNullable<ForExpression['key']>,
  items: [Value, Value][],
  start: Marks,
  run: Evaluation,
): Value {
  let marks = start;
  const groups = new Map<string, Value[]>();
  for (const [key, value] of items) {
    if (!mayStep(run, expression.range)) return UNKNOWN;
    const inner = turn(run, expression, key, value);
    const keep = keeps(expression, inner);
    if (keep) {
      marks = joinMarks(marks, keep.marks);
      if (keep.data === undefined) return unknown(DYNAMIC, marks);
      if (keep.data === false) continue;
    }
    const name = expectType(evaluateIn(keyExpression, inner), STRING, 'the key', keyExpression.range, inner);
    marks = joinMarks(marks, name.marks);
    if (typeof name.data !== 'string') return unknown(DYNAMIC, marks);
    const result = evaluateIn(expression.value, inner);
    const group = groups.get(name.data);
    if (!group) groups.set(name.data, [result]);
    else if (expression.grouped) group.push(result);
    else {
      const hint = 'Write "..." behind the value to collect all of one key in a list.';
      return fault(
        run,
        'template/duplicate',
        `two elements have the key "${name.data}"`,
        keyExpression.range,
        hint,
      );
    }
  }
  const entries = [...groups].map(([key, group]): [string, Value] => [
    key,
    expression.grouped ? tuple(group) : (group[0] as Value),
  ]);
  return mark(object(new Map(entries)), marks);
}
