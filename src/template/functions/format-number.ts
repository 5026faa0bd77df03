import type { Decimal } from '../value/number.ts';

/** `value` in units of 10^`exponent`, rounded to the nearest, ties to the even one, as Go's big.Float writes it. */
function inUnits({ digits, exponent: own }: Decimal, exponent: number): bigint {
  if (own >= exponent) return digits * 10n ** BigInt(own - exponent);
  const unit = 10n ** BigInt(exponent - own);
  const whole = digits / unit;
  const twice = 2n * (digits % unit);
  return twice > unit || (twice === unit && whole % 2n === 1n) ? whole + 1n : whole;
}

/** `%f`: `places` digits behind the point. `value` is not negative, here and below. */
export function fixedText(value: Decimal, places: number): string {
  const text = inUnits(value, -places).toString();
  if (places === 0) return text;
  const digits = text.padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** `%e`: one digit, then `places` behind the point, then the exponent with at least two digits. */
export function exponentText(value: Decimal, places: number): string {
  const { digits, exponent } = significant(value, places + 1);
  const shown = digits.padEnd(places + 1, '0');
  const power = Math.abs(exponent).toString().padStart(2, '0');
  return `${shown[0]}${places > 0 ? `.${shown.slice(1)}` : ''}e${exponent < 0 ? '-' : '+'}${power}`;
}

/**
 * `%g`: all digits, or `precision` significant ones; with an exponent below 10^-4 and from 10^6, or from as many
 * digits as the precision.
 */
export function generalText(value: Decimal, precision: number | undefined): string {
  const { digits, exponent } = significant(
    value,
    precision === undefined ? undefined : Math.max(precision, 1),
  );
  const most =
    precision === undefined
      ? 6
      : precision > digits.length && digits.length > exponent
        ? digits.length
        : precision;
  if (exponent < -4 || exponent >= most) return exponentText(value, digits.length - 1);
  return fixedText(value, Math.max(digits.length - exponent - 1, 0));
}

/** The first `count` digits, rounded, without noughts at the end; the first stands for units of 10^`exponent`. */
function significant(value: Decimal, count: number | undefined): { digits: string; exponent: number } {
  if (value.digits === 0n) return { digits: '0', exponent: 0 };
  const text = value.digits.toString();
  const first = text.length + value.exponent - 1;
  const kept = count === undefined ? text : inUnits(value, first - count + 1).toString();
  // Rounded up to the next power of ten, 9.99 has one digit more.
  const exponent = count !== undefined && kept.length > count ? first + 1 : first;
  return { digits: kept.replace(/0+$/, ''), exponent };
}
