import type { GoFunction } from './execute.ts';
import { GoFunctionError } from './function-error.ts';
import { printf } from './printf.ts';

/** Whether a value is not empty: not false, 0, nil, "" or a collection without elements. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** A value as Go's fmt prints it with %v. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`;
  if (value instanceof Map || typeof value === 'object') {
    const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value);
    const shown = entries.map(([k, v]) => `${String(k)}:${show(v)}`).sort();
    return `map[${shown.join(' ')}]`;
  }
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
    ? String(value)
    : '';
}

type Basic = string | number | boolean;

function basic(value: unknown): Basic | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (value === undefined || value === null) return undefined;
  throw new GoFunctionError('only strings, numbers and booleans can be compared');
}

function order(a: unknown, b: unknown): number {
  const [x, y] = [basic(a), basic(b)];
  if (typeof x !== typeof y || typeof x === 'boolean' || x === undefined || y === undefined) {
    throw new GoFunctionError('incompatible types for comparison');
  }
  return x < y ? -1 : x > y ? 1 : 0;
}

/** `eq a b c`: whether `a` equals one of the others. */
function equal(first: unknown, ...others: readonly unknown[]): boolean {
  if (others.length === 0) throw new GoFunctionError('two values are needed');
  return others.some((other) => {
    const [x, y] = [basic(first), basic(other)];
    if (x !== undefined && y !== undefined && typeof x !== typeof y)
      throw new GoFunctionError('incompatible types for comparison');
    return x === y;
  });
}

function length(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length;
  throw new GoFunctionError(`there is no length of ${show(value)}`);
}

function index(value: unknown, ...keys: readonly unknown[]): unknown {
  return keys.reduce((inner: unknown, key): unknown => {
    if (Array.isArray(inner)) {
      if (typeof key === 'number' && Number.isInteger(key) && key >= 0 && key < inner.length)
        return inner[key] as unknown;
      throw new GoFunctionError(`index out of range: ${show(key)}`);
    }
    if (inner instanceof Map) return (inner as Map<unknown, unknown>).get(key);
    if (typeof inner === 'object' && inner !== null) {
      return typeof key === 'string' && Object.hasOwn(inner, key)
        ? (inner as Record<string, unknown>)[key]
        : undefined;
    }
    throw new GoFunctionError(`can't index ${show(inner)}`);
  }, value);
}

function slice(value: unknown, ...bounds: readonly unknown[]): unknown {
  const [from = 0, to] = bounds;
  if ((typeof value !== 'string' && !Array.isArray(value)) || typeof from !== 'number')
    throw new GoFunctionError(`can't slice ${show(value)}`);
  const end = to ?? value.length;
  if (typeof end !== 'number' || from < 0 || end < from || end > value.length)
    throw new GoFunctionError('index out of range');
  return value.slice(from, end);
}

/** fmt.Sprint: blanks between operands where neither is a string. */
function print(...args: readonly unknown[]): string {
  return args
    .map((arg, i) =>
      i > 0 && typeof arg !== 'string' && typeof args[i - 1] !== 'string' ? ` ${show(arg)}` : show(arg),
    )
    .join('');
}

const HTML: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  "'": '&#39;',
  '"': '&#34;',
};

/** The functions that every Go template has (text/template, "Functions"). */
export const builtins: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ['and', (...args) => args.at(-1)],
  ['or', (...args) => args.at(-1)],
  ['not', (value) => !isTrue(value)],
  ['eq', equal],
  ['ne', (a, b) => !equal(a, b)],
  ['lt', (a, b) => order(a, b) < 0],
  ['le', (a, b) => order(a, b) <= 0],
  ['gt', (a, b) => order(a, b) > 0],
  ['ge', (a, b) => order(a, b) >= 0],
  ['len', length],
  ['index', index],
  ['slice', slice],
  ['print', print],
  ['println', (...args) => `${args.map(show).join(' ')}\n`],
  ['printf', printf],
  ['html', (...args) => print(...args).replace(/[<>&'"]/g, (c) => HTML[c] as string)],
  [
    'js',
    (...args) =>
      JSON.stringify(print(...args))
        .slice(1, -1)
        .replace(/[<>&'=]/g, (c) => `\\u00${c.charCodeAt(0).toString(16).toUpperCase()}`),
  ],
  [
    'urlquery',
    (...args) =>
      encodeURIComponent(Buffer.from(print(...args)).toString())
        .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
        .replaceAll('%20', '+'),
  ],
]);
