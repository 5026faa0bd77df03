import { convert } from '../value/convert.ts';
import { equals } from '../value/equality.ts';
import {
  add,
  compare,
  type Decimal,
  divide,
  negate,
  numberFromFloat,
  numberToFloat,
  subtract,
  ZERO,
} from '../value/number.ts';
import { compareText, valueKey } from '../value/set.ts';
import { BOOL, DYNAMIC, listOf, mapOf, NUMBER, STRING, type Type, typeName } from '../value/type.ts';
import { unify } from '../value/unify.ts';
import {
  bool,
  commonType,
  entriesOf,
  isUnknown,
  itemsOf,
  list,
  map,
  number,
  object,
  string,
  strings,
  tuple,
  UNKNOWN,
  unknown,
  type Value,
} from '../value/value.ts';
import { FunctionError, type FunctionSpec, param, wholeNumber } from './function.ts';
import { graphemes } from '../graphemes.ts';

const any = param('value', DYNAMIC, { unknowns: true });
const anyList = (name: string): FunctionSpec['parameters'][number] =>
  param(name, DYNAMIC, { unknowns: true });

/** The items of a list, set or tuple; refuses other values. */
export function sequence(value: Value | undefined, argument: number): readonly Value[] {
  if (value && Array.isArray(value.data)) return itemsOf(value);
  throw new FunctionError(
    `expected a list, set or tuple, got ${value ? typeName(value.type) : 'nothing'}`,
    argument,
  );
}

function mapping(value: Value | undefined, argument: number): ReadonlyMap<string, Value> {
  if (value && value.data instanceof Map) return entriesOf(value);
  throw new FunctionError(
    `expected a map or object, got ${value ? typeName(value.type) : 'nothing'}`,
    argument,
  );
}

/** Items as a list where they share a type, else as a tuple. */
export function listOrTuple(items: readonly Value[], like?: Value): Value {
  if (like?.type.kind === 'list' || like?.type.kind === 'set') {
    const element = items.length === 0 ? like.type.element : commonType(items);
    if (element.kind !== 'dynamic' || items.length === 0) return list(items, element);
  }
  return tuple(items);
}

function sortedKeys(entries: ReadonlyMap<string, Value>): string[] {
  return [...entries.keys()].sort(compareText);
}

function length(value: Value): Value {
  if (value.type.kind === 'tuple') return number(value.type.elements.length);
  if (value.type.kind === 'object') return number(value.type.attributes.size);
  if (value.data === undefined) return unknown(NUMBER);
  if (typeof value.data === 'string') return number(graphemes(value.data).length);
  if (Array.isArray(value.data)) return number(itemsOf(value).length);
  if (value.data instanceof Map) return number(entriesOf(value).size);
  throw new FunctionError(`expected a string, list, set or map, got ${typeName(value.type)}`, 0);
}

/** The values with the one type that fits them all. */
function unified(values: readonly Value[]): readonly Value[] {
  const type = unify(values.filter((v) => v.data !== null || v.type.kind !== 'dynamic').map((v) => v.type));
  if (!type)
    throw new FunctionError(
      `the arguments have no type in common: ${values.map((v) => typeName(v.type)).join(', ')}`,
    );
  return values.map((v) => convert(v, type));
}

function concat(lists: readonly Value[]): Value {
  const items = lists.flatMap((l, i) => sequence(l, i));
  const types = lists.map((l) => l.type);
  if (types.every((t) => t.kind === 'list')) {
    const type = unify(types);
    if (type?.kind === 'list')
      return list(
        items.map((i) => convert(i, type.element)),
        type.element,
      );
  }
  return tuple(items);
}

function merge(maps: readonly Value[]): Value {
  const out = new Map<string, Value>();
  for (const [i, value] of maps.entries()) {
    if (value.data === null) continue;
    for (const [key, item] of mapping(value, i)) out.set(key, item);
  }
  const types = maps.filter((m) => m.data !== null).map((m) => m.type);
  const [first] = types;
  if (first?.kind === 'map' && types.every((t) => t.kind === 'map' && typeName(t) === typeName(first))) {
    return map(out, first.element);
  }
  return object(out);
}

function flatten(items: readonly Value[]): Value[] {
  return items.flatMap((item) => (Array.isArray(item.data) ? flatten(itemsOf(item)) : [item]));
}

function lookup(value: Value, key: string, fallback: Value | undefined): Value {
  if (value.data === undefined) return UNKNOWN;
  const found = mapping(value, 0).get(key);
  if (found) return found;
  if (!fallback) throw new FunctionError(`there is no element with the key ${JSON.stringify(key)}`, 1);
  return value.type.kind === 'map' ? convert(fallback, value.type.element) : fallback;
}

/** Items without repeats, as a list where they have a type in common. */
function distinct(value: Value | undefined): Value {
  const items = sequence(value, 0);
  const element = unify(items.map((item) => item.type));
  const seen = new Map<string, Value>();
  for (const item of items.map((i) => (element ? convert(i, element) : i)))
    if (!seen.has(valueKey(item))) seen.set(valueKey(item), item);
  return element && element.kind !== 'dynamic'
    ? list([...seen.values()], element)
    : tuple([...seen.values()]);
}

function rangeOf(args: readonly Value[]): Value {
  const [a, b, c] = args.map((v) => v.data as Decimal);
  const from = args.length > 1 ? (a as Decimal) : ZERO;
  const to = (args.length > 1 ? b : a) as Decimal;
  const up = compare(to, from);
  if (up === 0) return list([], NUMBER);
  if (c && compare(c, ZERO) === 0) throw new FunctionError('step must not be 0', 2);
  const one = numberFromFloat(1);
  const step = c ?? (up > 0 ? one : negate(one));
  if (compare(step, ZERO) !== up) throw new FunctionError('step leads away from the limit', 2);
  if (numberToFloat(divide(subtract(to, from), step)) > 1024)
    throw new FunctionError('more than 1024 numbers');
  const out: Value[] = [];
  for (let x = from; compare(to, x) === up; x = add(x, step)) out.push(number(x));
  return list(out, NUMBER);
}

function slice(value: Value, from: number, to: number): Value {
  const items = sequence(value, 0);
  if (from < 0 || from > items.length)
    throw new FunctionError(`start index ${from} is outside the list of ${items.length}`, 1);
  if (to < from || to > items.length)
    throw new FunctionError(`end index ${to} must be from ${from} to ${items.length}`, 2);
  return listOrTuple(items.slice(from, to), value);
}

function element(value: Value, index: number): Value {
  const items = sequence(value, 0);
  if (items.length === 0) throw new FunctionError('the list is empty', 0);
  if (index < 0) throw new FunctionError('the index must not be negative', 1);
  return items[index % items.length] as Value;
}

function zipmap(keys: readonly Value[], values: Value): Value {
  const items = sequence(values, 1);
  if (keys.length !== items.length) throw new FunctionError(`${keys.length} keys and ${items.length} values`);
  const entries = new Map(keys.map((key, i) => [key.data as string, items[i] as Value]));
  return values.type.kind === 'list' ? map(entries, values.type.element) : object(entries);
}

function chunklist(value: Value, size: number): Value {
  const items = sequence(value, 0);
  if (size < 0) throw new FunctionError('the size must not be negative', 1);
  const element = value.type.kind === 'list' ? value.type.element : commonType(items);
  const step = size === 0 ? Math.max(items.length, 1) : size;
  const chunks: Value[] = [];
  for (let i = 0; i < items.length; i += step) chunks.push(list(items.slice(i, i + step), element));
  return list(chunks, listOf(element));
}

/** true or false of a list of bools; null counts as false. */
function all(items: readonly Value[], start: boolean): Value {
  for (const item of items) if ((item.data === true) !== start) return bool(!start);
  return bool(start);
}

function compact(items: readonly Value[]): Value {
  return strings(items.filter((i) => i.data !== null && i.data !== '').map((i) => i.data as string));
}

function define(
  name: string,
  parameters: FunctionSpec['parameters'],
  returns: Type,
  call: FunctionSpec['call'],
): FunctionSpec {
  return { name, parameters, returns, call };
}

/** `call`, once the first argument itself is known. */
function whenKnown(returns: Type, call: (args: readonly Value[]) => Value): FunctionSpec['call'] {
  return (args) => (args.some(isUnknown) ? unknown(returns) : call(args));
}

/** Functions of lists, sets, maps and objects. */
export const collectionFunctions: readonly FunctionSpec[] = [
  define('length', [any], NUMBER, ([value]) => length(value as Value)),
  define('alltrue', [param('list', listOf(BOOL))], BOOL, ([l]) => all(itemsOf(l as Value), true)),
  define('anytrue', [param('list', listOf(BOOL))], BOOL, ([l]) => all(itemsOf(l as Value), false)),
  define(
    'chunklist',
    [anyList('list'), param('size', NUMBER)],
    DYNAMIC,
    whenKnown(DYNAMIC, ([l, n]) => chunklist(l as Value, wholeNumber(n, 1))),
  ),
  {
    name: 'coalesce',
    parameters: [],
    rest: param('vals', DYNAMIC, { nullable: true, unknowns: true }),
    returns: DYNAMIC,
    call: (args) => {
      for (const value of unified(args)) {
        if (value.data === undefined) return unknown(value.type);
        if (value.data !== null && value.data !== '') return value;
      }
      throw new FunctionError('no argument is neither null nor an empty string');
    },
  },
  {
    name: 'coalescelist',
    parameters: [],
    rest: param('lists', DYNAMIC, { nullable: true }),
    returns: DYNAMIC,
    call: (args) => {
      const found = args.find((arg, i) => arg.data !== null && sequence(arg, i).length > 0);
      if (found) return found;
      throw new FunctionError('every list is empty');
    },
  },
  define('compact', [param('list', listOf(STRING))], listOf(STRING), ([l]) => compact(itemsOf(l as Value))),
  {
    name: 'concat',
    parameters: [],
    rest: anyList('lists'),
    returns: DYNAMIC,
    call: (args) => {
      if (args.length === 0) throw new FunctionError('at least one list is required');
      return args.some(isUnknown) ? unknown(DYNAMIC) : concat(args);
    },
  },
  define('contains', [param('list'), param('value', DYNAMIC, { nullable: true })], BOOL, ([l, v]) => {
    const [items, wanted] = [sequence(l, 0), v as Value];
    return bool(items.some((item) => equals(item, wanted) === true));
  }),
  define('distinct', [param('list')], DYNAMIC, ([l]) => distinct(l)),
  define(
    'element',
    [anyList('list'), param('index', NUMBER)],
    DYNAMIC,
    whenKnown(DYNAMIC, ([l, i]) => element(l as Value, wholeNumber(i, 1))),
  ),
  define('flatten', [param('list')], DYNAMIC, ([l]) => tuple(flatten(sequence(l, 0)))),
  define('index', [param('list'), param('value')], NUMBER, ([l, v]) => {
    const at = sequence(l, 0).findIndex((item) => equals(item, v as Value) === true);
    if (at === -1) throw new FunctionError('the value is not in the list', 1);
    return number(at);
  }),
  define(
    'keys',
    [anyList('map')],
    listOf(STRING),
    whenKnown(listOf(STRING), ([m]) => {
      const names = sortedKeys(mapping(m, 0));
      return (m as Value).type.kind === 'map' ? strings(names) : tuple(names.map(string));
    }),
  ),
  {
    name: 'lookup',
    parameters: [anyList('map'), param('key', STRING)],
    rest: param('default', DYNAMIC, { nullable: true, unknowns: true }),
    returns: DYNAMIC,
    call: ([m, key, fallback]) => lookup(m as Value, key?.data as string, fallback),
  },
  {
    name: 'merge',
    parameters: [],
    rest: param('maps', DYNAMIC, { nullable: true, unknowns: true }),
    returns: DYNAMIC,
    call: whenKnown(DYNAMIC, merge),
  },
  {
    name: 'range',
    parameters: [param('limit', NUMBER)],
    rest: param('more', NUMBER),
    returns: listOf(NUMBER),
    call: (args) => (args.length > 3 ? tooMany(3) : rangeOf(args)),
  },
  define(
    'reverse',
    [anyList('list')],
    DYNAMIC,
    whenKnown(DYNAMIC, ([l]) => listOrTuple([...sequence(l, 0)].reverse(), l)),
  ),
  define(
    'slice',
    [anyList('list'), param('start', NUMBER), param('end', NUMBER)],
    DYNAMIC,
    whenKnown(DYNAMIC, ([l, a, b]) => slice(l as Value, wholeNumber(a, 1), wholeNumber(b, 2))),
  ),
  define('sort', [param('list', listOf(STRING))], listOf(STRING), ([l]) => {
    const items = itemsOf(l as Value);
    if (items.some((i) => i.data === null)) throw new FunctionError('a list element is null', 0);
    return strings(items.map((i) => i.data as string).sort(compareText));
  }),
  define(
    'values',
    [anyList('map')],
    DYNAMIC,
    whenKnown(DYNAMIC, ([m]) => {
      const entries = mapping(m, 0);
      const items = sortedKeys(entries).map((k) => entries.get(k) as Value);
      const { type } = m as Value;
      return type.kind === 'map' ? list(items, type.element) : tuple(items);
    }),
  ),
  define(
    'zipmap',
    [param('keys', listOf(STRING)), anyList('values')],
    mapOf(DYNAMIC),
    whenKnown(DYNAMIC, ([k, v]) => zipmap(itemsOf(k as Value), v as Value)),
  ),
];

function tooMany(most: number): never {
  throw new FunctionError(`it takes at most ${most} arguments`);
}
