import {
  add,
  compare,
  type Decimal,
  isInteger,
  negate,
  numberFromBigInt,
  numberFromFloat,
  numberToFloat,
  power,
  subtract,
  toBigInt,
} from '../value/number.ts';
import { listOf, NUMBER, typeName } from '../value/type.ts';
import { itemsOf, number, type Value } from '../value/value.ts';
import { FunctionError, type FunctionSpec, param, wholeNumber } from './function.ts';

const decimal = (value: Value | undefined): Decimal => value?.data as Decimal;

/** A function of one number. */
function mapping(name: string, change: (value: Decimal) => Decimal): FunctionSpec {
  return {
    name,
    parameters: [param('num', NUMBER)],
    returns: NUMBER,
    call: ([n]) => number(change(decimal(n))),
  };
}

/** The greatest integer that is not above `a`. */
function floor(a: Decimal): Decimal {
  if (isInteger(a)) return a;
  const whole = numberFromBigInt(toBigInt(a));
  return a.digits < 0n ? subtract(whole, numberFromFloat(1)) : whole;
}

/** The best of all numbers by `wins`. */
function extreme(name: string, wins: (order: number) => boolean): FunctionSpec {
  const call = (args: readonly Value[]): Value => {
    const [first, ...others] = args;
    if (!first) throw new FunctionError('at least one number is required');
    return others.reduce((best, n) => (wins(compare(decimal(n), decimal(best))) ? n : best), first);
  };
  return { name, parameters: [], rest: param('numbers', NUMBER), returns: NUMBER, call };
}

function parseInteger(text: string, base: number): bigint {
  // Reading digits takes quadratic time; numbers have at most this many.
  const match = text.length > 5000 ? null : /^(-?)([0-9a-zA-Z]+)$/.exec(text);
  const digits = match?.[2] as string;
  // Base 62 tells cases apart, lower case first; smaller ones do not (Go's big.Int.SetString).
  const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  let result = 0n;
  for (const char of digits ?? '') {
    const value = alphabet.indexOf(base <= 36 ? char.toLowerCase() : char);
    if (value >= base)
      throw new FunctionError(`cannot parse ${JSON.stringify(text)} as a base ${base} integer`, 0);
    result = result * BigInt(base) + BigInt(value);
  }
  if (!match)
    throw new FunctionError(`cannot parse ${JSON.stringify(text.slice(0, 60))} as a base ${base} integer`, 0);
  return match[1] === '-' ? -result : result;
}

function logarithm(value: number, base: number): number {
  const result = Math.log(value) / Math.log(base);
  if (!Number.isFinite(result))
    throw new FunctionError(`the logarithm of ${value} to the base ${base} is no number`);
  return result;
}

/** Functions of numbers. */
export const numberFunctions: readonly FunctionSpec[] = [
  mapping('abs', (n) => (n.digits < 0n ? negate(n) : n)),
  mapping('floor', floor),
  mapping('ceil', (n) => negate(floor(negate(n)))),
  {
    name: 'signum',
    parameters: [param('num', NUMBER)],
    returns: NUMBER,
    call: ([n]) => number(Math.sign(wholeNumber(n, 0))),
  },
  extreme('max', (order) => order > 0),
  extreme('min', (order) => order < 0),
  {
    name: 'pow',
    parameters: [param('num', NUMBER), param('power', NUMBER)],
    returns: NUMBER,
    call: ([n, p]) => number(power(decimal(n), decimal(p))),
  },
  {
    name: 'log',
    parameters: [param('num', NUMBER), param('base', NUMBER)],
    returns: NUMBER,
    call: ([n, base]) => number(logarithm(numberToFloat(decimal(n)), numberToFloat(decimal(base)))),
  },
  {
    name: 'parseint',
    parameters: [param('number'), param('base', NUMBER)],
    returns: NUMBER,
    call: ([n, base]) => {
      if (n?.type.kind !== 'string')
        throw new FunctionError(`expected a string, got ${typeName((n as Value).type)}`, 0);
      const radix = numberToFloat(decimal(base));
      if (!Number.isInteger(radix) || radix < 2 || radix > 62)
        throw new FunctionError('base must be from 2 to 62', 1);
      return number(numberFromBigInt(parseInteger(n.data as string, radix)));
    },
  },
  {
    name: 'sum',
    parameters: [param('list', listOf(NUMBER))],
    returns: NUMBER,
    call: ([l]) => {
      const items = itemsOf(l as Value);
      if (items.length === 0) throw new FunctionError('the list is empty', 0);
      if (items.some((i) => i.data === null)) throw new FunctionError('a list element is null', 0);
      return number(items.map(decimal).reduce(add));
    },
  },
];
