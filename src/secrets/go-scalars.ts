import type { ScalarTag, Tags } from 'yaml';
import { textOrBytes } from './encode.ts';

/**
 * Plain texts that Go's yaml.v3 takes for numbers (resolve.go): underscores anywhere between digits, `017` as well as
 * `0o17` in base 8, `0b101`, hexadecimal with a sign. What overflows, as `1e400`, stays a text. Dates stay texts, too.
 */
const INTEGER = /^[-+]?(?:[0-9][0-9_]*|0x[0-9a-f_]*[0-9a-f]_*|0b[01_]*[01]_*|0o[0-7_]*[0-7]_*)$/i;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/;
const BASES: readonly (readonly [RegExp, string])[] = [
  [/^0x[0-9a-f]+$/i, ''],
  [/^0b[01]+$/i, ''],
  [/^0o[0-7]+$/i, ''],
  [/^0[0-7]+$/, '0o'],
  [/^(?:0|[1-9][0-9]*)$/, ''],
];

/** A whole number of any size, or undefined. */
function readInteger(source: string): bigint | undefined {
  const digits = source.replaceAll('_', '').replace(/^[-+]/, '');
  const base = BASES.find(([pattern]) => pattern.test(digits));
  if (!base) return undefined;
  const size = BigInt(base[1] + digits);
  return source.startsWith('-') ? -size : size;
}

function readNumber(source: string): bigint | number | string {
  const integer = readInteger(source);
  if (integer !== undefined) return integer;
  const float = FLOAT.test(source) ? Number(source.replaceAll('_', '')) : Number.NaN;
  return Number.isFinite(float) ? float : source;
}

const integer: ScalarTag = {
  identify: (value) => typeof value === 'bigint' || Number.isInteger(value),
  default: true,
  tag: 'tag:yaml.org,2002:int',
  test: INTEGER,
  resolve: readNumber,
  stringify: ({ value }) => String(value),
};

const float: ScalarTag = {
  identify: (value) => typeof value === 'number',
  default: true,
  tag: 'tag:yaml.org,2002:float',
  test: FLOAT,
  resolve: readNumber,
  stringify: ({ value }) => goFloat(value as number),
};

const infinity: ScalarTag = {
  identify: (value) => typeof value === 'number' && !Number.isFinite(value),
  default: true,
  tag: 'tag:yaml.org,2002:float',
  test: /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  resolve: (source) =>
    /nan/i.test(source)
      ? Number.NaN
      : source.startsWith('-')
        ? Number.NEGATIVE_INFINITY
        : Number.POSITIVE_INFINITY,
  stringify: ({ value }) =>
    Number.isNaN(value) ? '.nan' : value === Number.NEGATIVE_INFINITY ? '-.inf' : '.inf',
};

/** Bytes; a text where they are one, as yaml.v3 has it. */
const binary: ScalarTag = {
  identify: (value) => value instanceof Uint8Array,
  default: false,
  tag: 'tag:yaml.org,2002:binary',
  resolve: (source) => textOrBytes(Buffer.from(source, 'base64')),
  stringify: ({ value }) => Buffer.from(value as Uint8Array).toString('base64'),
};

/** Tags for the options of the YAML library, so that scalars are read and written as Go's yaml.v3 does. */
export function goScalars(tags: Tags): Tags {
  const others = tags.filter((tag) => typeof tag === 'string' || !/:(?:int|float)$/.test(tag.tag));
  return [...others, infinity, integer, float, binary];
}

/**
 * A number as Go's strconv writes floats, format `g` with the shortest digits, which is that of yaml.v3 and of `%v`: with
 * an exponent below -4 and from 6 on. Whole numbers have none: they may have been integers.
 */
export function goFloat(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? '-Inf' : '+Inf';
  const [digits = '', power = ''] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(value);
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}
