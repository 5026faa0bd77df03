import { gomegaText } from '../gomega-text.ts';
import type { GoValue } from '../values.ts';
import { compileRegexp } from './go-regexp.ts';
import { type Matcher, MatchError } from './matcher.ts';
import { simpleMatcher } from './simple.ts';

function text(matcher: string, actual: GoValue): string {
  if (typeof actual === 'string') return actual;
  throw new MatchError(`${matcher} matcher requires a string or stringer.  Got:\n${gomegaText(actual)}`);
}

export function havePrefix(prefix: string): Matcher {
  return simpleMatcher('have-prefix', 'have prefix', prefix, (a) => text('HavePrefix', a).startsWith(prefix));
}

export function haveSuffix(suffix: string): Matcher {
  return simpleMatcher('have-suffix', 'have suffix', suffix, (a) => text('HaveSuffix', a).endsWith(suffix));
}

export function containSubstring(part: string): Matcher {
  return simpleMatcher('contain-substring', 'contain substring', part, (a) =>
    text('ContainSubstring', a).includes(part),
  );
}

/** RE2's syntax; found anywhere in the text. */
export function matchRegexp(pattern: string): Matcher {
  return simpleMatcher('match-regexp', 'match regular expression', pattern, (actual) => {
    const subject = text('MatchRegexp', actual);
    return (
      compileRegexp(pattern, 'RegExp match failed to compile with error:\n\t').find(subject) !== undefined
    );
  });
}
