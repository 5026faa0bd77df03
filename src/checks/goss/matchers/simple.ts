import { jsonPair, jsonText, type Shown } from '../go-json.ts';
import { gomegaText } from '../gomega-text.ts';
import { type GoValue, isMap, sameValue, Strings } from '../values.ts';
import { type Matcher, MatchError } from './matcher.ts';

/** A matcher that is told by a test, a phrase and its argument. */
export function simpleMatcher(
  name: string,
  phrase: string,
  expected: Shown,
  match: (actual: GoValue) => boolean,
): Matcher {
  return {
    match,
    failure: (actual) => ({ actual, message: `to ${phrase}`, expected }),
    negatedFailure: (actual) => ({ actual, message: `not to ${phrase}`, expected }),
    json: () => jsonPair(name, expected),
  };
}

/** Same type, same content. */
export function equal(expected: GoValue): Matcher {
  const matcher = simpleMatcher('equal', 'equal', expected, (actual) => {
    if (actual === null && expected === null) {
      throw new MatchError(
        'Refusing to compare <nil> to <nil>.\nBe explicit and use BeNil() instead.  This is to avoid mistakes where both sides of an assertion are erroneously uninitialized.',
      );
    }
    return sameValue(actual, expected);
  });
  return { ...matcher, json: () => jsonText(expected, true) };
}

/** Texts have as many as they have bytes. */
export function haveLength(count: bigint): Matcher {
  return simpleMatcher('have-len', 'have length', count, (actual) => {
    const length = lengthOf(actual);
    if (length === undefined)
      throw new MatchError(
        `HaveLen matcher expects a string/array/map/channel/slice.  Got:\n${gomegaText(actual)}`,
      );
    return BigInt(length) === count;
  });
}

function lengthOf(value: GoValue): number | undefined {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value instanceof Strings) return value.items.length;
  if (isMap(value)) return value.size;
  return Array.isArray(value) ? value.length : undefined;
}

const COMPARE = {
  eq: (a: number, b: number) => a === b,
  gt: (a: number, b: number) => a > b,
  ge: (a: number, b: number) => a >= b,
  lt: (a: number, b: number) => a < b,
  le: (a: number, b: number) => a <= b,
} as const;
export type Comparator = keyof typeof COMPARE;

/** Whole numbers of any size are compared exactly where both are whole. */
export function beNumerically(comparator: Comparator, expected: GoValue): Matcher {
  return simpleMatcher(comparator, `be numerically ${comparator}`, expected, (actual) => {
    for (const value of [actual, expected]) {
      if (typeof value !== 'number' && typeof value !== 'bigint')
        throw new MatchError(`Expected a number.  Got:\n${gomegaText(value)}`);
    }
    const [a, b] = [actual as number, expected as number];
    if (typeof a === 'bigint' && typeof b === 'bigint')
      return COMPARE[comparator](Number((a as bigint) - (b as bigint)), 0);
    return COMPARE[comparator](Number(a), Number(b));
  });
}
