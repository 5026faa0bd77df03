import { type Decimal, isInteger, negate, toBigInt } from '../value/number.ts';
import { convert } from '../value/convert.ts';
import { BOOL, NUMBER, STRING } from '../value/type.ts';
import type { Value } from '../value/value.ts';
import { FunctionError } from './function.ts';
import { exponentText, fixedText, generalText } from './format-number.ts';
import { encodeJson } from './json-text.ts';
import { graphemes } from '../graphemes.ts';

interface Verb {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly letter: string;
}

const VERB = /%(?:%|([-+ #0]*)([0-9]{0,4})(?:\.([0-9]{0,3}))?(?:\[([0-9]{1,3})\])?([A-Za-z])?)/g;

/** Fills the verbs of a format as cty's format does: Go's fmt, with HCL's types. Throws FunctionError. */
export function formatVerbs(format: string, args: readonly Value[]): string {
  let next = 0;
  let most = 0;
  const text = format.replace(
    VERB,
    (whole, flags = '', width = '', precision?: string, index?: string, letter?: string) => {
      if (whole === '%%') return '%';
      if (letter === undefined)
        throw new FunctionError(`the verb ${JSON.stringify(whole)} is not complete`, 0);
      if (index !== undefined) next = Number(index) - 1;
      const value = args[next++];
      most = Math.max(most, next);
      if (!value) throw new FunctionError(`no argument for ${whole}: ${next} needed, got ${args.length}`, 0);
      const verb: Verb = {
        flags: flags as string,
        width: width === '' ? undefined : Number(width),
        precision: precision === undefined ? undefined : Number(precision),
        letter,
      };
      const one = formatOne(verb, value, whole as string, next);
      // cty pads everything but booleans.
      return letter === 't' ? one : padded(verb, one);
    },
  );
  if (most < args.length)
    throw new FunctionError(`too many arguments: ${most} used, got ${args.length}`, most + 1);
  return text;
}

function formatOne(verb: Verb, value: Value, whole: string, argument: number): string {
  const { letter } = verb;
  if (letter === 'v')
    return verb.flags.includes('#') || !isPrimitive(value) ? encodeJson(value) : plain(value);
  if (value.data === null) throw new FunctionError(`unsupported value for ${whole}: null`, argument);
  if (letter === 't') return convert(value, BOOL).data === true ? 'true' : 'false';
  if (letter === 's' || letter === 'q') {
    const text = convert(value, STRING).data as string;
    const cut = verb.precision === undefined ? text : graphemes(text).slice(0, verb.precision).join('');
    return letter === 's' ? cut : JSON.stringify(cut);
  }
  if (!'bdoxXeEfFgG'.includes(letter)) throw new FunctionError(`unsupported format verb ${whole}`, 0);
  return formatNumber(verb, convert(value, NUMBER).data as Decimal, argument);
}

function isPrimitive({ type, data }: Value): boolean {
  return data === null || type.kind === 'string' || type.kind === 'number' || type.kind === 'bool';
}

function plain(value: Value): string {
  if (value.data === null) return 'null';
  if (value.type.kind !== 'number') return convert(value, STRING).data as string;
  return formatNumber(
    { flags: '', width: undefined, precision: undefined, letter: 'g' },
    value.data as Decimal,
    0,
  );
}

function formatNumber(verb: Verb, value: Decimal, argument: number): string {
  const sign = value.digits < 0n ? '-' : verb.flags.includes('+') ? '+' : verb.flags.includes(' ') ? ' ' : '';
  const magnitude: Decimal = value.digits < 0n ? negate(value) : value;
  return sign + magnitudeText(verb, magnitude, argument);
}

function magnitudeText({ letter, precision, flags }: Verb, value: Decimal, argument: number): string {
  const radix = { b: 2, d: 10, o: 8, x: 16, X: 16 }[letter];
  if (radix !== undefined) {
    if (!isInteger(value)) throw new FunctionError('an integer is required', argument);
    const digits = toBigInt(value).toString(radix);
    const prefix = flags.includes('#') && radix === 16 ? '0x' : flags.includes('#') && radix === 8 ? '0' : '';
    return letter === 'X' ? (prefix + digits).toUpperCase() : prefix + digits;
  }
  const text =
    letter === 'f' || letter === 'F'
      ? fixedText(value, precision ?? 6)
      : letter === 'e' || letter === 'E'
        ? exponentText(value, precision ?? 6)
        : generalText(value, precision);
  return letter === 'E' || letter === 'G' ? text.toUpperCase() : text;
}

function padded({ flags, width }: Verb, text: string): string {
  if (width === undefined) return text;
  const missing = width - graphemes(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0')) return ' '.repeat(missing) + text;
  const sign = /^[-+ ]?/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}
