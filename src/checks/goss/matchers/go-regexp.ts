import { SafeRegExp } from '../../../template/regexp/regexp.ts';
import { PatternError } from '../../../template/regexp/syntax.ts';
import { MatchError } from './matcher.ts';

/** A pattern in RE2's syntax; a wrong one is told in the words of Go's regexp package. */
export function compileRegexp(pattern: string, before = ''): SafeRegExp {
  try {
    return new SafeRegExp(pattern);
  } catch (error) {
    if (error instanceof PatternError)
      throw new MatchError(`${before}error parsing regexp: ${goMessage(error.message, pattern)}`);
    throw error;
  }
}

/** What Go says of the same defect (regexp/syntax, ErrorCode); else our own words. */
function goMessage(message: string, pattern: string): string {
  if (message === 'a "(" has no ")"') return `missing closing ): \`${pattern}\``;
  if (message === 'unexpected ")"') return `unexpected ): \`${pattern}\``;
  if (message === 'a backslash ends the pattern') return 'trailing backslash at end of expression: ``';
  if (message === 'a "[" has no "]"') return `missing closing ]: \`${pattern.slice(openClass(pattern))}\``;
  const before = /^nothing stands before (.)$/.exec(message);
  if (before) return `missing argument to repetition operator: \`${before[1]}\``;
  const escape = /^the escape (\\.) is unknown$/.exec(message);
  if (escape) return `invalid escape sequence: \`${escape[1]}\``;
  const repeat = /^the repetition (\S+) is out of range/.exec(message);
  if (repeat) return `invalid repeat count: \`${repeat[1]}\``;
  if (message.startsWith('a range in [ ] runs backwards'))
    return `invalid character class range: \`${backwards(pattern)}\``;
  const unicode = /\\[pP](?:\{[^}]*\}|.)/.exec(pattern);
  if (unicode && message.startsWith('there is no Unicode class'))
    return `invalid character class range: \`${unicode[0]}\``;
  const look = /\(\?<?[=!]/.exec(pattern);
  if (look) return `invalid or unsupported Perl syntax: \`${look[0]}\``;
  const nested = /[*+?]{2,}/.exec(pattern);
  if (nested) return `invalid nested repetition operator: \`${nested[0]}\``;
  return `${message}: \`${pattern}\``;
}

/** The first range of a class whose end comes before its beginning. */
function backwards(pattern: string): string {
  for (let i = 1; i < pattern.length - 1; i++)
    if (pattern[i] === '-' && (pattern[i - 1] as string) > (pattern[i + 1] as string))
      return pattern.slice(i - 1, i + 2);
  return pattern;
}

/** Where the class begins that is never closed. */
function openClass(pattern: string): number {
  let open = -1;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === '\\') i++;
    else if (open === -1 && c === '[') {
      open = i;
      if (pattern[i + 1] === '^') i++;
      if (pattern[i + 1] === ']') i++;
    } else if (open !== -1 && c === ']') open = -1;
  }
  return Math.max(open, 0);
}
