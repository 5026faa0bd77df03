/**
 * A decimal number: `digits` × 10^`exponent`, exact in addition, subtraction and multiplication up to 155
 * significant digits (what cty's 512-bit floats hold), so that 0.1 + 0.2 is 0.3 and 2^64 keeps all its digits.
 * Normalised: `digits` has no trailing zero, and nought has exponent 0, so equal numbers have equal fields.
 */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

const PRECISION = 155;
const LIMIT = 10n ** BigInt(PRECISION);
/** Largest power of ten: beyond it a number's text alone would take up memory without bound. */
const MAX_EXPONENT = 5000;

export const ZERO: Decimal = { digits: 0n, exponent: 0 };

/** The result of an operation has more than 5000 digits before or behind the point. */
export class NumberRangeError extends Error {}

function normal(digits: bigint, exponent: number): Decimal {
  let d = digits;
  let e = exponent;
  if (d === 0n) return ZERO;
  if (d >= LIMIT || d <= -LIMIT) {
    const excess = (d < 0n ? -d : d).toString().length - PRECISION;
    const unit = 10n ** BigInt(excess);
    const half = unit / 2n;
    d = (d + (d < 0n ? -half : half)) / unit;
    e += excess;
  }
  while (d % 1_000_000_000n === 0n) {
    d /= 1_000_000_000n;
    e += 9;
  }
  while (d % 10n === 0n) {
    d /= 10n;
    e++;
  }
  if (Math.abs(e) > MAX_EXPONENT) throw new NumberRangeError('the number is out of range');
  return { digits: d, exponent: e };
}

/** Reads `-12.5e3`; undefined where this is no number or one out of range. */
export function numberFromText(text: string): Decimal | undefined {
  const match = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,6}))?$/.exec(text);
  if (!match || text.length > 10_000) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(whole + fraction);
  try {
    return normal(sign === '-' ? -digits : digits, Number(exponent) - fraction.length);
  } catch (error) {
    if (error instanceof NumberRangeError) return undefined;
    throw error;
  }
}

/** A JavaScript number; throws on NaN and infinity. */
export function numberFromFloat(value: number): Decimal {
  if (Number.isSafeInteger(value)) return normal(BigInt(value), 0);
  const decimal = numberFromText(String(value));
  if (!decimal) throw new NumberRangeError(`${value} is no finite number`);
  return decimal;
}

export function numberFromBigInt(value: bigint): Decimal {
  return normal(value, 0);
}

/** Plain notation, never an exponent. */
export function numberToText({ digits, exponent }: Decimal): string {
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString();
  if (exponent >= 0) return sign + text + '0'.repeat(exponent);
  const padded = text.padStart(1 - exponent, '0');
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

/** The nearest JavaScript number. */
export function numberToFloat({ digits, exponent }: Decimal): number {
  return Number(`${digits}e${exponent}`);
}

export function isInteger(a: Decimal): boolean {
  return a.exponent >= 0;
}

/** The integer part, towards nought. */
export function toBigInt({ digits, exponent }: Decimal): bigint {
  return exponent >= 0 ? digits * 10n ** BigInt(exponent) : digits / 10n ** BigInt(-exponent);
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [
    a.digits * 10n ** BigInt(a.exponent - exponent),
    b.digits * 10n ** BigInt(b.exponent - exponent),
    exponent,
  ];
}

export function add(a: Decimal, b: Decimal): Decimal {
  const [x, y, exponent] = aligned(a, b);
  return normal(x + y, exponent);
}

export function negate(a: Decimal): Decimal {
  return { digits: -a.digits, exponent: a.exponent };
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, negate(b));
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return normal(a.digits * b.digits, a.exponent + b.exponent);
}

/** `a / b`, rounded to the last digit kept; `b` is not nought. */
export function divide(a: Decimal, b: Decimal): Decimal {
  const shift = PRECISION + b.digits.toString().length + 1;
  return normal((a.digits * 10n ** BigInt(shift)) / b.digits, a.exponent - b.exponent - shift);
}

/** What is left of `a` after division towards nought; `b` is not nought. */
export function remainder(a: Decimal, b: Decimal): Decimal {
  const [x, y, exponent] = aligned(a, b);
  return normal(x % y, exponent);
}

export function compare(a: Decimal, b: Decimal): number {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function equal(a: Decimal, b: Decimal): boolean {
  return a.digits === b.digits && a.exponent === b.exponent;
}

/** Exact for whole exponents up to 10000, as good as a float for others. */
export function power(base: Decimal, exponent: Decimal): Decimal {
  if (isInteger(exponent) && exponent.digits >= 0n && compare(exponent, numberFromFloat(10_000)) <= 0) {
    let result: Decimal = { digits: 1n, exponent: 0 };
    let square = base;
    for (let left = toBigInt(exponent); left > 0n; left >>= 1n) {
      if (left & 1n) result = multiply(result, square);
      if (left > 1n) square = multiply(square, square);
    }
    return result;
  }
  return numberFromFloat(numberToFloat(base) ** numberToFloat(exponent));
}
