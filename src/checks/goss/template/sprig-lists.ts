import { isDeepStrictEqual } from 'node:util';
import { isTrue } from '../../../template/gotemplate/builtins.ts';
import type { GoFunction } from '../../../template/gotemplate/execute.ts';
import { integer, list, map, refuse, text } from './arguments.ts';

function has(needle: unknown, items: unknown): boolean {
  return list(items).some((item) => isDeepStrictEqual(item, needle));
}

function unique(items: unknown): unknown[] {
  const kept: unknown[] = [];
  for (const item of list(items)) if (!has(item, kept)) kept.push(item);
  return kept;
}

function slice(items: unknown, from: unknown = 0, to?: unknown): readonly unknown[] {
  const whole = list(items);
  const [start, end] = [integer(from), to === undefined ? whole.length : integer(to)];
  if (start < 0 || end < start || end > whole.length) return refuse('index out of range');
  return whole.slice(start, end);
}

function chunks(size: unknown, items: unknown): unknown[][] {
  const width = integer(size);
  if (width < 1) return refuse('a part holds at least one element');
  const whole = list(items);
  return Array.from({ length: Math.ceil(whole.length / width) }, (_, i) =>
    whole.slice(i * width, (i + 1) * width),
  );
}

function dictionary(...args: readonly unknown[]): Map<string, unknown> {
  const made = new Map<string, unknown>();
  for (let i = 0; i < args.length; i += 2) made.set(String(args[i]), args[i + 1] ?? '');
  return made;
}

/** `dig "a" "b" default map`: what lies under the keys. */
function dig(...args: readonly unknown[]): unknown {
  if (args.length < 3) return refuse('at least three arguments are needed');
  const [otherwise, root] = args.slice(-2);
  let value: unknown = root;
  for (const key of args.slice(0, -2)) {
    const inner = map(value);
    if (!inner.has(text(key))) return otherwise;
    value = inner.get(text(key));
  }
  return value;
}

/** The first map wins, or the last with `overwrite`; maps inside are merged too. */
function merge(maps: readonly unknown[], overwrite: boolean): Map<string, unknown> {
  const [first, ...others] = maps.map(map);
  const target = first ?? new Map<string, unknown>();
  for (const other of others)
    for (const [key, value] of other) {
      const mine = target.get(key);
      if (mine instanceof Map && value instanceof Map) merge([mine, value], overwrite);
      else if (overwrite || !isTrue(mine)) target.set(key, value);
    }
  return target;
}

function only(source: unknown, keys: readonly unknown[], wanted: boolean): Map<string, unknown> {
  return new Map([...map(source)].filter(([key]) => keys.includes(key) === wanted));
}

const first: GoFunction = (items) => list(items)[0];
const last: GoFunction = (items) => list(items).at(-1);
const rest: GoFunction = (items) => list(items).slice(1);
const initial: GoFunction = (items) => list(items).slice(0, -1);
const append: GoFunction = (items, item) => [...list(items), item];
const prepend: GoFunction = (items, item) => [item, ...list(items)];
const reverse: GoFunction = (items) => [...list(items)].reverse();
const without: GoFunction = (items, ...gone) => list(items).filter((item) => !has(item, gone));
const compact: GoFunction = (items) => list(items).filter(isTrue);

/** sprig's functions on lists and maps. */
export const listFunctions: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ['list', (...items) => items],
  ['tuple', (...items) => items],
  ['first', first],
  ['mustFirst', first],
  ['last', last],
  ['mustLast', last],
  ['rest', rest],
  ['mustRest', rest],
  ['initial', initial],
  ['mustInitial', initial],
  ['append', append],
  ['mustAppend', append],
  ['push', append],
  ['mustPush', append],
  ['prepend', prepend],
  ['mustPrepend', prepend],
  ['reverse', reverse],
  ['mustReverse', reverse],
  ['uniq', unique],
  ['mustUniq', unique],
  ['without', without],
  ['mustWithout', without],
  ['has', has],
  ['mustHas', has],
  ['compact', compact],
  ['mustCompact', compact],
  ['slice', slice],
  ['mustSlice', slice],
  ['chunk', chunks],
  ['mustChunk', chunks],
  ['concat', (...lists) => lists.flatMap((items) => [...list(items)])],
  ['dict', dictionary],
  ['get', (source, key) => map(source).get(text(key)) ?? ''],
  ['set', (source, key, value) => map(source).set(text(key), value)],
  [
    'unset',
    (source, key) => {
      const target = map(source);
      target.delete(text(key));
      return target;
    },
  ],
  ['hasKey', (source, key) => map(source).has(text(key))],
  ['keys', (...maps) => maps.flatMap((m) => [...map(m).keys()]).sort()],
  ['values', (source) => [...map(source)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)],
  [
    'pluck',
    (key, ...maps) =>
      maps
        .map(map)
        .filter((m) => m.has(text(key)))
        .map((m) => m.get(text(key))),
  ],
  ['pick', (source, ...keys) => only(source, keys, true)],
  ['omit', (source, ...keys) => only(source, keys, false)],
  ['merge', (...maps) => merge(maps, false)],
  ['mustMerge', (...maps) => merge(maps, false)],
  ['mergeOverwrite', (...maps) => merge(maps, true)],
  ['mustMergeOverwrite', (...maps) => merge(maps, true)],
  ['deepCopy', (value) => structuredClone(value)],
  ['mustDeepCopy', (value) => structuredClone(value)],
  ['dig', dig],
]);
