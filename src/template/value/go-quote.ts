const SHORT: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  92: '\\\\',
};

/** What Go calls printable: letters, marks, numbers, punctuation, symbols and the plain blank (unicode.IsPrint). */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** A text in Go's double quotes (strconv.Quote). */
export function goQuote(text: string): string {
  return `"${Array.from(Buffer.from(text).toString())
    .map((char) => escaped(char, '"'))
    .join('')}"`;
}

/** A whole number as the character that it stands for, in single quotes (strconv.QuoteRune). */
export function goQuoteRune(value: bigint): string {
  const fits = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);
  return `'${escaped(String.fromCodePoint(fits ? Number(value) : 0xfffd), "'")}'`;
}

function escaped(char: string, quote: string): string {
  const point = char.codePointAt(0) ?? 0;
  if (char === quote) return `\\${char}`;
  const short = SHORT[point];
  if (short !== undefined) return short;
  if (PRINTABLE.test(char)) return char;
  if (point < 0x20 || point === 0x7f) return `\\x${hex(point, 2)}`;
  return point > 0xffff ? `\\U${hex(point, 8)}` : `\\u${hex(point, 4)}`;
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}
