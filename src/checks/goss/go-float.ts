import { goQuote } from '../../template/value/go-quote.ts';

const WORDS: ReadonlyMap<string, number> = new Map([
  ['inf', Infinity],
  ['infinity', Infinity],
  ['nan', Number.NaN],
]);
const DECIMAL = /^(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;
const HEX = /^0x([0-9a-f]*)(?:\.([0-9a-f]*))?p([-+]?\d+)$/i;

/**
 * The number that a text says, as strconv.ParseFloat reads it: decimal or hexadecimal (which needs its `p` exponent),
 * `_` between digits, infinity and NaN. Gives the message of Go's error where it says none.
 */
export function parseGoFloat(text: string): number | { readonly error: string } {
  const [, sign = '', body = ''] = /^([-+]?)(.*)$/s.exec(text) ?? [];
  const word = WORDS.get(body.toLowerCase());
  if (word !== undefined && !(Number.isNaN(word) && sign !== '')) return sign === '-' ? -word : word;
  const value = underscoresFit(body) ? number(body.replaceAll('_', '')) : undefined;
  if (value === undefined) return { error: `strconv.ParseFloat: parsing ${goQuote(text)}: invalid syntax` };
  if (!Number.isFinite(value))
    return { error: `strconv.ParseFloat: parsing ${goQuote(text)}: value out of range` };
  return sign === '-' ? -value : value;
}

function number(text: string): number | undefined {
  if (DECIMAL.test(text)) return Number(text);
  const [, whole = '', fraction = '', exponent] = HEX.exec(text) ?? [];
  if (exponent === undefined || whole + fraction === '') return undefined;
  const digits = Number(BigInt(`0x${whole}${fraction}`));
  return digits === 0 ? 0 : digits * 2 ** (Number(exponent) - 4 * fraction.length);
}

/** An underscore stands between two digits, or between the prefix and one; a hexadecimal prefix counts as one. */
function underscoresFit(text: string): boolean {
  if (!text.includes('_')) return true;
  const hex = /^0x/i.test(text);
  const digit = hex ? /[0-9a-f]/i : /\d/;
  const rest = hex ? `0${text.slice(2)}` : text;
  return Array.from(rest).every(
    (char, i) => char !== '_' || (digit.test(rest[i - 1] ?? '') && digit.test(rest[i + 1] ?? '')),
  );
}
