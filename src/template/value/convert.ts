import { numberFromText, numberToText, type Decimal } from './number.ts';
import { canonicalSet } from './set.ts';
import { DYNAMIC, isWhole, sameType, type Type, typeName } from './type.ts';
import { unify } from './unify.ts';
import { bool, entriesOf, itemsOf, NULL, number, object, string, tuple, type Value } from './value.ts';

/** A value can't become what is wanted. `path` leads from the value to the part that is wrong. */
export class ConversionError extends Error {
  readonly path: readonly (string | number)[];

  constructor(message: string, path: readonly (string | number)[] = []) {
    super(message);
    this.path = path;
  }

  /** The message with the path in front: `[2].name: expected …`. */
  get text(): string {
    const where = this.path.map((p) => (typeof p === 'number' ? `[${p}]` : `.${p}`)).join('');
    return where === '' ? this.message : `at ${where.replace(/^\./, '')}: ${this.message}`;
  }
}

/** `value` as a value of `type` (cty/docs/convert.md, unsafe conversions included). Throws ConversionError. */
export function convert(value: Value, type: Type): Value {
  if (type.kind === 'dynamic' || (sameType(value.type, type) && !hasOptional(type))) return value;
  const { marks } = value;
  if (value.data === undefined) {
    if (value.type.kind !== 'dynamic' && !mayConvert(value.type, type)) throw mismatch(value, type);
    return { type, data: undefined, marks };
  }
  if (value.data === null) return { type, data: null, marks };
  const converted = convertKnown(value, type);
  return { ...converted, marks: value.marks === converted.marks ? marks : joinOuter(value, converted) };
}

function joinOuter(value: Value, converted: Value): Value['marks'] {
  const sensitive = new Set([...value.marks.sensitive, ...converted.marks.sensitive]);
  return { sensitive, volatile: value.marks.volatile || converted.marks.volatile };
}

function convertKnown(value: Value, type: Type): Value {
  switch (type.kind) {
    case 'string':
      return string(primitiveText(value) ?? fail(value, type));
    case 'number': {
      const decimal = typeof value.data === 'string' ? numberFromText(value.data) : undefined;
      return decimal ? number(decimal) : fail(value, type);
    }
    case 'bool':
      return toBool(value, type);
    case 'list':
    case 'set':
      return toSequence(value, type);
    case 'tuple':
      return toTuple(value, type);
    case 'map':
      return toMap(value, type);
    case 'object':
      return toObject(value, type);
    case 'dynamic':
      return value;
  }
}

function primitiveText({ type, data }: Value): string | undefined {
  if (type.kind === 'string') return data as string;
  if (type.kind === 'number') return numberToText(data as Decimal);
  return typeof data === 'boolean' ? String(data) : undefined;
}

function toBool(value: Value, type: Type): Value {
  if (value.data === 'true' || value.data === '1') return bool(true);
  if (value.data === 'false' || value.data === '0') return bool(false);
  return fail(value, type);
}

function toSequence(value: Value, type: Type & { element: Type }): Value {
  if (!Array.isArray(value.data)) return fail(value, type);
  const items = itemsOf(value);
  const element = wholeElement(
    type,
    items.map((i) => i.type),
    value,
  );
  const data = items.map((item, i) => within(i, () => convert(item, element)));
  const whole: Type = { kind: type.kind as 'list' | 'set', element };
  return type.kind === 'set' ? canonicalSet(data, element) : { type: whole, data, marks: value.marks };
}

/** With `any` as element type all elements get the one type that fits them. */
function wholeElement(type: Type & { element: Type }, found: readonly Type[], value: Value): Type {
  if (isWhole(type.element) || found.length === 0 || type.element.kind !== 'dynamic') return type.element;
  const element = unify(found);
  if (!element)
    throw new ConversionError(
      `all elements of a ${type.kind} must have one type; got ${typeName(value.type)}`,
    );
  return element;
}

function toTuple(value: Value, type: Type & { kind: 'tuple' }): Value {
  if (!Array.isArray(value.data) || value.type.kind === 'set') return fail(value, type);
  const items = itemsOf(value);
  if (items.length !== type.elements.length) {
    throw new ConversionError(`expected ${type.elements.length} elements, got ${items.length}`);
  }
  return tuple(items.map((item, i) => within(i, () => convert(item, type.elements[i] ?? DYNAMIC))));
}

function toMap(value: Value, type: Type & { element: Type }): Value {
  if (!(value.data instanceof Map)) return fail(value, type);
  const entries = [...entriesOf(value)];
  const element = wholeElement(
    type,
    entries.map(([, v]) => v.type),
    value,
  );
  const data = new Map(entries.map(([key, v]) => [key, within(key, () => convert(v, element))]));
  return { type: { kind: 'map', element }, data, marks: value.marks };
}

function toObject(value: Value, type: Type & { kind: 'object' }): Value {
  if (!(value.data instanceof Map)) return fail(value, type);
  const entries = entriesOf(value);
  const out = new Map<string, Value>();
  for (const [name, wanted] of type.attributes) {
    const given = entries.get(name);
    const fallback = type.optional?.get(name);
    if (given && !(given.data === null && fallback))
      out.set(
        name,
        within(name, () => convert(given, wanted)),
      );
    else if (type.optional?.has(name)) out.set(name, convert(fallback ?? NULL, wanted));
    else throw new ConversionError(`the attribute "${name}" is missing; expected ${typeName(type)}`);
  }
  return object(out);
}

function within<T>(step: string | number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ConversionError) throw new ConversionError(error.message, [step, ...error.path]);
    throw error;
  }
}

function hasOptional(type: Type): boolean {
  if ('element' in type) return hasOptional(type.element);
  if (type.kind === 'tuple') return type.elements.some(hasOptional);
  if (type.kind !== 'object') return false;
  return type.optional !== undefined || [...type.attributes.values()].some(hasOptional);
}

/** Whether some value of type `from` converts to `to`. */
function mayConvert(from: Type, to: Type): boolean {
  const primitive = (t: Type): boolean => t.kind === 'string' || t.kind === 'number' || t.kind === 'bool';
  const sequence = (t: Type): boolean => t.kind === 'list' || t.kind === 'set' || t.kind === 'tuple';
  const mapping = (t: Type): boolean => t.kind === 'map' || t.kind === 'object';
  if (primitive(from) && primitive(to))
    return from.kind === to.kind || from.kind === 'string' || to.kind === 'string';
  return (sequence(from) && sequence(to)) || (mapping(from) && mapping(to));
}

function fail(value: Value, type: Type): never {
  throw mismatch(value, type);
}

function mismatch(value: Value, type: Type): ConversionError {
  const sensitive = value.marks.sensitive.size > 0;
  const shown =
    typeof value.data === 'string' && !sensitive ? ` ${JSON.stringify(value.data.slice(0, 60))}` : '';
  return new ConversionError(`expected ${typeName(type)}, got ${typeName(value.type)}${shown}`);
}
