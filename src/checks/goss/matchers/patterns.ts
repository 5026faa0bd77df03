import { jsonPair } from '../go-json.ts';
import { gomegaText, goType } from '../gomega-text.ts';
import { type GoValue, isList, Reader, Strings } from '../values.ts';
import { compileRegexp } from './go-regexp.ts';
import { type Matcher, MatchError } from './matcher.ts';

interface Pattern {
  readonly source: string;
  /** `!…`: no line may match. */
  readonly inverse: boolean;
  matches(line: string): boolean;
}

/**
 * `foo`, `!foo`, `/regexp/` and `!/regexp/`, each held against the lines of a text. Stops reading when all have been
 * seen.
 */
export function havePatterns(expected: GoValue): Matcher {
  let missing: readonly string[] | undefined;
  let found: readonly string[] = [];
  return {
    match(actual) {
      const sources = textsOf(expected);
      let open = sources.map(patternOf);
      if (open.length === 0) return true;
      const seen: string[] = [];
      for (const line of linesOf(actual)) {
        open = open.filter((pattern) => {
          if (!pattern.matches(line)) return true;
          if (!pattern.inverse) seen.push(pattern.source);
          return false;
        });
        if (open.length === 0) break;
      }
      // What must not come and did not is fulfilled; an empty pattern is, even by a text without lines.
      for (const pattern of open) if (pattern.inverse || pattern.source === '') seen.push(pattern.source);
      found = seen;
      if (seen.length === sources.length) return true;
      missing = sources.filter((source) => !seen.includes(source));
      return false;
    },
    failure: (actual) => ({
      actual: shownActual(actual),
      message: 'to have patterns',
      expected,
      ...(missing && { missing: missing.length > 0 ? missing : undefined }),
      found: found.length > 0 ? found : null,
    }),
    negatedFailure: (actual) => ({
      actual: shownActual(actual),
      message: 'not to have patterns',
      expected,
    }),
    json: () => jsonPair('have-patterns', expected),
  };
}

/** A text that is in the file itself is shown; of a stream its type is told. */
function shownActual(actual: GoValue): GoValue {
  if (typeof actual === 'string' || actual instanceof Strings) return actual;
  if (actual instanceof Reader && actual.typeName === '*strings.Reader') return actual.text();
  return `object: ${actual === null ? '<nil>' : goType(actual)}`;
}

function textsOf(expected: GoValue): readonly string[] {
  if (!isList(expected))
    throw new MatchError(`HavePatterns matcher expects an array of matchers.  Got:\n${gomegaText(expected)}`);
  return expected.map((pattern) => {
    if (typeof pattern === 'string') return pattern;
    throw new MatchError(
      `HavePatterns matcher expects patterns to be a string. got: \n${gomegaText(pattern)}`,
    );
  });
}

function linesOf(actual: GoValue): Iterable<string> {
  if (actual instanceof Reader) return actual.lines();
  if (typeof actual === 'string') return Reader.of(actual, '').lines();
  if (actual instanceof Strings) return Reader.of(actual.items.join('\n'), '').lines();
  throw new MatchError(`Incorrect type ${actual === null ? '<nil>' : goType(actual)}`);
}

function patternOf(source: string): Pattern {
  const inverse = source.startsWith('!');
  const body = inverse ? source.slice(1) : source;
  if (body.startsWith('/') && source.endsWith('/')) {
    const regexp = compileRegexp(body.slice(1).replace(/\/$/, ''));
    return { source, inverse, matches: (line) => regexp.find(line) !== undefined };
  }
  // goss strips every leading backslash, slash and exclamation mark.
  const part = source.replace(/^[\\/!]+/, '');
  return { source, inverse, matches: (line) => line.includes(part) };
}
