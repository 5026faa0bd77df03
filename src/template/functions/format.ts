import { DYNAMIC, listOf, STRING } from '../value/type.ts';
import { isWhollyKnown, itemsOf, string, strings, unknown, type Value } from '../value/value.ts';
import { formatVerbs } from './format-verbs.ts';
import { FunctionError, type FunctionSpec, param } from './function.ts';

const rest = param('args', DYNAMIC, { nullable: true, unknowns: true });

/** Once for every element of the lists, other arguments being the same each time. */
function formatList(format: Value, args: readonly Value[]): Value {
  const lists = args.filter((a) => Array.isArray(a.data));
  const lengths = new Set(lists.map((l) => itemsOf(l).length));
  if (lengths.size > 1)
    throw new FunctionError(`the lists have different lengths: ${[...lengths].join(', ')}`);
  const [count = 1] = lengths;
  const rows = Array.from({ length: count }, (_, i) =>
    args.map((a) => (Array.isArray(a.data) ? (itemsOf(a)[i] as Value) : a)),
  );
  return strings(rows.map((row) => formatVerbs(format.data as string, row)));
}

/** Functions with Go's format verbs. */
export const formatFunctions: readonly FunctionSpec[] = [
  {
    name: 'format',
    parameters: [param('format', STRING)],
    rest,
    returns: STRING,
    call: ([format, ...args]) =>
      args.every(isWhollyKnown) ? string(formatVerbs(format?.data as string, args)) : unknown(STRING),
  },
  {
    name: 'formatlist',
    parameters: [param('format', STRING)],
    rest,
    returns: listOf(STRING),
    call: ([format, ...args]) =>
      args.every(isWhollyKnown) ? formatList(format as Value, args) : unknown(listOf(STRING)),
  },
];
