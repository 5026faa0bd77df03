import { type Decimal, numberFromFloat } from './number.ts';
import { joinMarks, type Marks, NO_MARKS } from './marks.ts';
import { BOOL, DYNAMIC, NUMBER, sameType, STRING, type Type } from './type.ts';

/** What a value holds: `undefined` is unknown, `null` is null. Sets are in canonical order, without repeats. */
export type Data =
  | undefined
  | null
  | boolean
  | string
  | Decimal
  | readonly Value[]
  | ReadonlyMap<string, Value>;

/** An immutable value of HCL with its type and marks, as cty has them. Marks of elements are on the elements. */
export interface Value {
  readonly type: Type;
  readonly data: Data;
  readonly marks: Marks;
}

export const NULL: Value = { type: DYNAMIC, data: null, marks: NO_MARKS };
/** Nothing is known of it, not even the type. What failed to evaluate becomes this. */
export const UNKNOWN: Value = { type: DYNAMIC, data: undefined, marks: NO_MARKS };

const TRUE: Value = { type: BOOL, data: true, marks: NO_MARKS };
const FALSE: Value = { type: BOOL, data: false, marks: NO_MARKS };

export function unknown(type: Type, marks: Marks = NO_MARKS): Value {
  return { type, data: undefined, marks };
}

export function nullOf(type: Type): Value {
  return { type, data: null, marks: NO_MARKS };
}

export function string(data: string): Value {
  return { type: STRING, data, marks: NO_MARKS };
}

export function number(value: Decimal | number): Value {
  return { type: NUMBER, data: typeof value === 'number' ? numberFromFloat(value) : value, marks: NO_MARKS };
}

export function bool(value: boolean): Value {
  return value ? TRUE : FALSE;
}

export function tuple(items: readonly Value[]): Value {
  return { type: { kind: 'tuple', elements: items.map((i) => i.type) }, data: items, marks: NO_MARKS };
}

export function object(items: ReadonlyMap<string, Value>): Value {
  const attributes = new Map([...items].map(([name, value]) => [name, value.type]));
  return { type: { kind: 'object', attributes }, data: items, marks: NO_MARKS };
}

/** A list; every item has the type `element`. */
export function list(items: readonly Value[], element: Type): Value {
  return { type: { kind: 'list', element }, data: items, marks: NO_MARKS };
}

export function strings(items: readonly string[]): Value {
  return list(items.map(string), STRING);
}

export function map(items: ReadonlyMap<string, Value>, element: Type): Value {
  return { type: { kind: 'map', element }, data: items, marks: NO_MARKS };
}

export function mark(value: Value, marks: Marks): Value {
  const joined = joinMarks(value.marks, marks);
  return joined === value.marks ? value : { ...value, marks: joined };
}

export function isUnknown(value: Value): boolean {
  return value.data === undefined;
}

/** The values inside a value, or none. */
export function children(value: Value): Iterable<Value> {
  if (Array.isArray(value.data)) return value.data as readonly Value[];
  if (value.data instanceof Map) return (value.data as ReadonlyMap<string, Value>).values();
  return [];
}

export function isWhollyKnown(value: Value): boolean {
  if (value.data === undefined) return false;
  for (const child of children(value)) if (!isWhollyKnown(child)) return false;
  return true;
}

/** Marks of the value and of everything in it. */
export function deepMarks(value: Value): Marks {
  let { marks } = value;
  for (const child of children(value)) marks = joinMarks(marks, deepMarks(child));
  return marks;
}

/** The items of a known list, set or tuple. */
export function itemsOf(value: Value): readonly Value[] {
  return Array.isArray(value.data) ? (value.data as readonly Value[]) : [];
}

/** The entries of a known map or object. */
export function entriesOf(value: Value): ReadonlyMap<string, Value> {
  return value.data instanceof Map ? (value.data as ReadonlyMap<string, Value>) : new Map();
}

/** The one type of all items, or dynamic. */
export function commonType(items: readonly Value[]): Type {
  const [first] = items;
  return first && items.every((i) => sameType(i.type, first.type)) ? first.type : DYNAMIC;
}
