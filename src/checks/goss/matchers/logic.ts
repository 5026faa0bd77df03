import { jsonPair, type Shown } from '../go-json.ts';
import { type Matcher, MatchError } from './matcher.ts';

/** Goss writes a list without elements as null. */
function list(matchers: readonly Matcher[]): Shown {
  return matchers.length > 0 ? matchers : null;
}

export function not(matcher: Matcher): Matcher {
  return {
    match: (actual) => !matcher.match(actual),
    failure: (actual) => matcher.negatedFailure(actual),
    negatedFailure: (actual) => matcher.failure(actual),
    json: () => jsonPair('not', matcher),
  };
}

/** All match; the first that does not is what a report speaks about. */
export function and(matchers: readonly Matcher[]): Matcher {
  let failed: Matcher | undefined;
  const negated = (actual: Parameters<Matcher['match']>[0]) => ({
    actual,
    message: 'not to satisfy all of these matchers',
    expected: list(matchers),
  });
  return {
    match(actual) {
      failed = undefined;
      for (const matcher of matchers) {
        try {
          if (matcher.match(actual)) continue;
        } catch (error) {
          if (error instanceof MatchError) failed = matcher;
          throw error;
        }
        failed = matcher;
        return false;
      }
      return true;
    },
    failure: (actual) => failed?.failure(actual) ?? negated(actual),
    negatedFailure: negated,
    json: () =>
      matchers.length === 1 ? (matchers[0] as Matcher).json(true) : jsonPair('and', list(matchers)),
  };
}

/** One matches; what can't be compared before it is an error. */
export function or(matchers: readonly Matcher[]): Matcher {
  let successful: Matcher | undefined;
  const failure = (actual: Parameters<Matcher['match']>[0]) => ({
    actual,
    message: 'to satisfy at least one of these matchers',
    expected: list(matchers),
  });
  return {
    match(actual) {
      successful = matchers.find((matcher) => matcher.match(actual));
      return successful !== undefined;
    },
    failure,
    negatedFailure: (actual) => successful?.negatedFailure(actual) ?? failure(actual),
    json: () => jsonPair('or', list(matchers)),
  };
}
