import { jsonPair, type Shown } from '../go-json.ts';
import { gomegaText } from '../gomega-text.ts';
import { elementsOf, type GoValue, isMap } from '../values.ts';
import { type Matcher, MatchError } from './matcher.ts';
import { pairUp } from './pair-up.ts';

function elements(matcher: string, actual: GoValue): readonly GoValue[] {
  const found = elementsOf(actual);
  if (found) return found;
  throw new MatchError(`${matcher} matcher expects an array/slice/map.  Got:\n${gomegaText(actual)}`);
}

/** Whether `matcher` takes a value; one that can't be compared is no match where others may be. */
function takes(matcher: Matcher, value: GoValue): boolean {
  try {
    return matcher.match(value);
  } catch (error) {
    if (error instanceof MatchError) return false;
    throw error;
  }
}

/** Goss writes a list that it never filled as null. */
function list(items: readonly Matcher[] | readonly GoValue[]): Shown {
  return items.length > 0 ? items : null;
}

/** Each expected element is matched by an element of its own; others may be there. */
export function containElements(expected: readonly Matcher[]): Matcher {
  let missing: readonly Matcher[] = [];
  return {
    match(actual) {
      const values = elements('ContainElements', actual);
      const pairs = pairUp(values, expected, (value, matcher) => takes(matcher, value));
      missing = pairs.freeRight;
      return missing.length === 0;
    },
    failure: (actual) => ({
      actual,
      message: 'to contain elements matching',
      expected: list(expected),
      ...(missing.length > 0 && { missing }),
      found: list(expected.filter((e) => !missing.includes(e))),
    }),
    negatedFailure: (actual) => ({
      actual,
      message: 'not to contain elements matching',
      expected: list(expected),
    }),
    json: () => jsonPair('contain-elements', list(expected)),
  };
}

/** Each expected element is matched by an element of its own, and no other is there. Order is free. */
export function consistOf(expected: readonly Matcher[]): Matcher {
  let missing: readonly Matcher[] = [];
  let extra: readonly GoValue[] = [];
  return {
    match(actual) {
      const values = elements('ConsistOf', actual);
      const pairs = pairUp(values, expected, (value, matcher) => takes(matcher, value));
      missing = pairs.freeRight;
      extra = pairs.freeLeft;
      return missing.length === 0 && extra.length === 0;
    },
    failure: (actual) => ({
      actual,
      message: 'to consist of',
      expected: list(expected),
      ...(missing.length > 0 && { missing }),
      ...(extra.length > 0 && { extra }),
      found: list(expected.filter((e) => !missing.includes(e))),
    }),
    negatedFailure: (actual) => ({ actual, message: 'not to consist of', expected: list(expected) }),
    json: () => jsonPair('consist-of', list(expected)),
  };
}

/** Some element matches. Where none does and one could not be compared, the last such error counts. */
export function containElement(expected: Matcher): Matcher {
  return {
    match(actual) {
      let failure: MatchError | undefined;
      for (const value of elements('ContainElement', actual)) {
        try {
          if (expected.match(value)) return true;
        } catch (error) {
          if (!(error instanceof MatchError)) throw error;
          failure = error;
        }
      }
      if (failure) throw failure;
      return false;
    },
    failure: (actual) => ({ actual, message: 'to contain element matching', expected }),
    negatedFailure: (actual) => ({ actual, message: 'not to contain element matching', expected }),
    json: () => jsonPair('contain-element', expected),
  };
}

/** Some key of a map matches. */
export function haveKey(expected: Matcher): Matcher {
  return {
    match(actual) {
      if (!isMap(actual)) throw new MatchError(`HaveKey matcher expects a map.  Got:${gomegaText(actual)}`);
      return [...actual.keys()].some((key) => {
        try {
          return expected.match(key);
        } catch (error) {
          if (error instanceof MatchError)
            throw new MatchError(`HaveKey's key matcher failed with:\n    ${error.message}`);
          throw error;
        }
      });
    },
    failure: (actual) => ({ actual, message: 'to have key matching', expected }),
    negatedFailure: (actual) => ({ actual, message: 'not to have key matching', expected }),
    json: () => jsonPair('have-key', expected),
  };
}
