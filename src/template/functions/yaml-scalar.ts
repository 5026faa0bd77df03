import { numberFromBigInt, numberFromText } from '../value/number.ts';
import { bool, NULL, number, string, type Value } from '../value/value.ts';
import { FunctionError } from './function.ts';

const TRUE = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const EMPTY = /^(?:|~|null|Null|NULL)$/;
const NO_FINITE = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const CORE = 'tag:yaml.org,2002:';

/**
 * A scalar's value by its tag, or, where it is plain and has none, by its look (go-cty-yaml, resolve.go).
 * Throws FunctionError.
 */
export function resolveScalar(source: string, tag: string | undefined, quoted: boolean): Value {
  switch (tag ?? (quoted ? `${CORE}str` : undefined)) {
    case undefined:
      return byLook(source);
    case '!':
    case `${CORE}str`:
      return string(source);
    case `${CORE}binary`:
      return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(source)
        ? string(source)
        : refuse(source, '!!binary');
    case `${CORE}bool`:
      return booleanOf(source) ?? refuse(source, '!!bool');
    case `${CORE}int`:
    case `${CORE}float`:
      return decimalOf(source) ?? integerOf(source) ?? refuse(source, 'a number');
    case `${CORE}timestamp`:
      return timestampOf(source) ?? refuse(source, '!!timestamp');
    case `${CORE}null`:
      return NULL;
    default:
      throw new FunctionError(`the tag ${tag} is not known here`);
  }
}

function byLook(source: string): Value {
  if (EMPTY.test(source)) return NULL;
  if (NO_FINITE.test(source))
    throw new FunctionError(`${source} is no finite number, and others can't be represented`);
  const binary = /^-?0b/.test(source) ? integerOf(source) : undefined;
  return booleanOf(source) ?? timestampOf(source) ?? decimalOf(source) ?? binary ?? string(source);
}

function booleanOf(source: string): Value | undefined {
  if (TRUE.test(source)) return bool(true);
  return FALSE.test(source) ? bool(false) : undefined;
}

/** `1_000`, `+.5`, `1e3`; a leading nought means nothing. */
function decimalOf(source: string): Value | undefined {
  if (!/^[-+.0-9]/.test(source)) return undefined;
  const decimal = numberFromText(source.startsWith('.') ? source : source.replaceAll('_', ''));
  return decimal && number(decimal);
}

/** `0x1f`, `0o17`, `-0b11`. */
function integerOf(source: string): Value | undefined {
  const match = /^([-+]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.exec(source.replaceAll('_', ''));
  if (!match || source.length > 1000) return undefined;
  const value = BigInt(match[2] as string);
  return number(numberFromBigInt(match[1] === '-' ? -value : value));
}

const DATE = /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(.*)$/;
const TIME = /^[Tt ]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})?$/;

/** `2001-12-14` and `2001-12-14t21:59:43.10-05:00` in RFC 3339; fractions of seconds are dropped. */
function timestampOf(source: string): Value | undefined {
  const date = DATE.exec(source);
  if (!date) return undefined;
  const [, year, month = '', day = '', rest = ''] = date;
  const time = TIME.exec(rest);
  // With a blank there is no zone, with a "T" there must be one.
  if (rest !== '' && (!time || rest.startsWith(' ') !== (time[4] === undefined))) return undefined;
  const clock = time ? time.slice(1, 4).map((n) => n.padStart(2, '0')) : ['00', '00', '00'];
  const plain = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}T${clock.join(':')}`;
  const moment = new Date(`${plain}Z`);
  // The 31st of April would quietly become the 1st of May.
  if (Number.isNaN(moment.getTime()) || moment.toISOString().slice(0, 19) !== plain) return undefined;
  return string(`${plain}${time?.[4] ?? 'Z'}`);
}

function refuse(source: string, as: string): never {
  throw new FunctionError(`${JSON.stringify(source)} is no ${as.replace(/^a /, '')}`);
}
