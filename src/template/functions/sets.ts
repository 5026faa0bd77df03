import { convert } from '../value/convert.ts';
import { canonicalSet, valueKey } from '../value/set.ts';
import { DYNAMIC, setOf } from '../value/type.ts';
import { unify } from '../value/unify.ts';
import { commonType, itemsOf, list, tuple, type Value } from '../value/value.ts';
import { sequence } from './collections.ts';
import { FunctionError, type FunctionSpec, param } from './function.ts';

/** A function of two or more sets of one type. */
function setFunction(
  name: string,
  combine: (a: readonly Value[], b: readonly Value[]) => readonly Value[],
): FunctionSpec {
  return {
    name,
    parameters: [param('first_set', setOf(DYNAMIC))],
    rest: param('other_sets', setOf(DYNAMIC)),
    returns: setOf(DYNAMIC),
    call: (args) => {
      const filled = args.filter((a) => itemsOf(a).length > 0);
      const type = unify((filled.length > 0 ? filled : args).map((a) => a.type));
      if (type?.kind !== 'set') throw new FunctionError('the elements of the sets have no type in common');
      const items = args.map((a) => itemsOf(convert(a, type)));
      return canonicalSet(items.reduce(combine), type.element);
    },
  };
}

function keysOf(items: readonly Value[]): Set<string> {
  return new Set(items.map(valueKey));
}

/** Every combination of one element from each list, the last varying fastest. */
function product(args: readonly Value[]): Value {
  if (args.length < 2) throw new FunctionError('at least two lists or sets are required');
  const lists = args.map(sequence);
  const total = lists.reduce((count, l) => count * l.length, 1);
  if (total > 100_000) throw new FunctionError(`${total} combinations; at most 100000 are made`);
  let rows: Value[][] = [[]];
  for (const items of lists) rows = rows.flatMap((row) => items.map((item) => [...row, item]));
  const out = rows.map((row) => tuple(row));
  if (args.every((a) => a.type.kind === 'set')) return canonicalSet(out, commonType(out));
  return args.some((a) => a.type.kind === 'tuple') ? tuple(out) : list(out, commonType(out));
}

/** Functions of sets. */
export const setFunctions: readonly FunctionSpec[] = [
  setFunction('setunion', (a, b) => [...a, ...b]),
  setFunction('setintersection', (a, b) => {
    const keys = keysOf(b);
    return a.filter((item) => keys.has(valueKey(item)));
  }),
  { name: 'setproduct', parameters: [], rest: param('sets'), returns: DYNAMIC, call: product },
];
