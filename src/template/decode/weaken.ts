import type { ValueType } from '../../core/body-spec.ts';
import { type Decimal, numberFromBigInt, toBigInt } from '../value/number.ts';
import { bool, entriesOf, itemsOf, mark, number, object, string, tuple, type Value } from '../value/value.ts';

/**
 * A value of legacy JSON as Packer bends it to the type that is wanted (mapstructure, WeaklyTypedInput): "1" and 1 are
 * true, true is "1", "" is 0 and false, "0x10" is 16, 2.5 is 2 (and "2.5" wrong), one value is a list of one, a list of objects one map. What cannot
 * be bent comes back as it is, and converting it fails.
 */
export function weaken(value: Value, type: ValueType): Value {
  if (value.data === null) return value;
  return mark(value.data === undefined ? bendUnknown(value, type) : bend(value, type), value.marks);
}

function bend(value: Value, type: ValueType): Value {
  const { data } = value;
  if (type === 'any') return value;
  if (type === 'bool') return asBool(value);
  if (type === 'number') return asNumber(value);
  if (type === 'string') return typeof data === 'boolean' ? string(data ? '1' : '0') : value;
  if ('list' in type || 'set' in type) {
    const inner = 'list' in type ? type.list : type.set;
    const isEmpty = data === '' || (data instanceof Map && data.size === 0);
    const items = isEmpty ? [] : Array.isArray(data) ? itemsOf(value) : isScalar(value) ? [value] : undefined;
    return items ? tuple(items.map((item) => weaken(item, inner))) : value;
  }
  if ('object' in type) return value;
  const maps = Array.isArray(data) ? itemsOf(value) : [value];
  if (!maps.every((one) => one.data instanceof Map)) return value;
  const entries = maps.flatMap((one) => [...entriesOf(one)]);
  return object(new Map(entries.map(([name, inner]) => [name, weaken(inner, type.map)])));
}

/** What is known of it is its type at most. */
function bendUnknown(value: Value, type: ValueType): Value {
  const wantsList = typeof type === 'object' && ('list' in type || 'set' in type);
  return wantsList && isScalar(value) ? tuple([value]) : value;
}

function isScalar({ type }: Value): boolean {
  return type.kind === 'string' || type.kind === 'number' || type.kind === 'bool';
}

/** Texts are those of Go's strconv.ParseBool, and nothing. */
function asBool(value: Value): Value {
  const { data, type } = value;
  if (type.kind === 'number') return bool((data as Decimal).digits !== 0n);
  if (typeof data !== 'string') return value;
  if (/^(?:1|t|T|TRUE|true|True)$/.test(data)) return bool(true);
  return /^(?:0|f|F|FALSE|false|False)?$/.test(data) ? bool(false) : value;
}

/** Texts of whole numbers may have a base, as in Go: 0x10, 0b11, 0o17, 017. */
function asNumber(value: Value): Value {
  const { data } = value;
  if (typeof data === 'boolean') return number(data ? 1 : 0);
  if (value.type.kind === 'number') return number(numberFromBigInt(toBigInt(data as Decimal)));
  if (typeof data !== 'string') return value;
  if (data === '') return number(0);
  const [, sign = '', digits = ''] = /^([-+]?)(0x[0-9a-f]+|0b[01]+|0o?[0-7]+)$/i.exec(data) ?? [];
  if (digits === '') return value;
  const size = BigInt(digits.replace(/^0(?=[0-7])/, '0o'));
  return number(numberFromBigInt(sign === '-' ? -size : size));
}
