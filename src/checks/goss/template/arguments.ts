import { show } from '../../../template/gotemplate/builtins.ts';
import { GoFunctionError } from '../../../template/gotemplate/function-error.ts';

export function refuse(message: string): never {
  throw new GoFunctionError(message);
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : refuse(`a text is needed, not ${kindOf(value)}`);
}

/** A value as sprig makes a text of it. */
export function asText(value: unknown): string {
  return value === undefined || value === null ? '' : show(value);
}

/** A whole number of a number or text; what is none is 0, as in sprig. */
export function integer(value: unknown): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number = typeof value === 'string' && value.trim() === '' ? 0 : Number(value);
  return Number.isFinite(number) ? Math.trunc(number) : 0;
}

export function decimal(value: unknown): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number = Number(value);
  return Number.isNaN(number) ? 0 : number;
}

export function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  return value === undefined || value === null ? [] : refuse(`a list is needed, not ${kindOf(value)}`);
}

/** A map as a Map, whatever it is made of. */
export function map(value: unknown): Map<string, unknown> {
  if (value instanceof Map) return value as Map<string, unknown>;
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return new Map(Object.entries(value));
  return refuse(`a map is needed, not ${kindOf(value)}`);
}

/** Go's reflect.Kind. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'invalid';
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'object') return 'map';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
