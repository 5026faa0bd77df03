import { GoTime, type GoValue, isList, isMap, Reader, sortedEntries, Strings } from './values.ts';

/** A number as Go prints a float64 with `%v`: the shortest digits, with an exponent from 1e6 on and below 1e-4. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  if (value === 0) return '0';
  const [digits = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 6) return `${digits}e${exponentText(exponent)}`;
  return plainDigits(value);
}

/** A float64 in Go's JSON: an exponent below 1e-6 and from 1e21 on, of one digit where one is enough. */
export function floatJson(value: number): string | undefined {
  if (!Number.isFinite(value)) return undefined;
  if (Object.is(value, -0)) return '-0';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-6 || size >= 1e21)) {
    const [digits = '', power = '0'] = value.toExponential().split('e');
    const exponent = exponentText(Number(power)).replace(/^-0(\d)$/, '-$1');
    return `${digits}e${exponent}`;
  }
  return plainDigits(value);
}

function exponentText(exponent: number): string {
  return `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function plainDigits(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  const [digits = '', power = '0'] = text.split('e');
  const [whole = '', fraction = ''] = digits.replace('-', '').split('.');
  const exponent = Number(power);
  const sign = value < 0 ? '-' : '';
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${whole}${fraction}`;
  return `${sign}${(whole + fraction).padEnd(exponent + 1, '0')}`;
}

/** A value as fmt.Sprintf("%v") prints it. */
export function valueText(value: GoValue): string {
  if (value === null) return '<nil>';
  if (typeof value === 'number') return floatText(value);
  if (value instanceof Reader) return value.text();
  if (value instanceof GoTime) return value.rfc3339.replace('T', ' ').replace('Z', ' +0000 UTC');
  if (value instanceof Strings) return `[${value.items.join(' ')}]`;
  if (isList(value)) return `[${value.map(valueText).join(' ')}]`;
  if (isMap(value))
    return `map[${sortedEntries(value)
      .map(([key, item]) => `${key}:${valueText(item)}`)
      .join(' ')}]`;
  return String(value);
}
