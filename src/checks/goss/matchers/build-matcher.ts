import { valueText } from '../go-text.ts';
import { goQuote, goQuoteRune } from '../../../template/value/go-quote.ts';
import { goType } from '../gomega-text.ts';
import { GoTime, type GoMap, type GoValue, isList, isMap, sortedEntries } from '../values.ts';
import { consistOf, containElement, containElements, haveKey } from './collections.ts';
import { and, not, or } from './logic.ts';
import { type Matcher, MatchError } from './matcher.ts';
import { havePatterns } from './patterns.ts';
import { semverConstraint } from './semver.ts';
import { matchXml } from './xml.ts';
import { beNumerically, equal, haveLength } from './simple.ts';
import { containSubstring, havePrefix, haveSuffix, matchRegexp } from './text.ts';
import { atPath, toArray, toNumeric, toText, withTransform } from './transform.ts';

const MAX_DEPTH = 100;

/**
 * The matcher that an expectation of a goss file stands for: a plain value compares by its type, a list wants these
 * elements among others, a map with one key names a matcher (goss's docs/gossfile.md, "Matchers").
 * Throws MatchError with goss's words.
 */
export function buildMatcher(expected: GoValue, depth = 0): Matcher {
  if (depth > MAX_DEPTH) throw new MatchError(`Syntax Error: matchers nested more than ${MAX_DEPTH} deep`);
  if (typeof expected === 'string') return withTransform(toText, equal(expected));
  if (typeof expected === 'number' || typeof expected === 'bigint')
    return withTransform(toNumeric, beNumerically('eq', expected));
  if (typeof expected === 'boolean') return equal(expected);
  if (isList(expected)) return containElements(expected.map((e) => buildMatcher(e, depth + 1)));
  if (expected === null) throw new MatchError('Syntax Error: Missing required attribute');
  if (!isMap(expected)) throw invalidArgument('matcher', 'map', expected);
  const [name, ...others] = expected.keys();
  if (name === undefined) throw new MatchError('Syntax Error: Missing required attribute');
  if (others.length > 0) {
    const names = [name, ...others].map(goQuote).join(' ');
    throw new MatchError(
      `Syntax Error: Invalid matcher configuration. At a given nesting level, only one matcher is allowed. Found multiple matchers: [${names}]`,
    );
  }
  return named(name, expected.get(name) as GoValue, depth + 1);
}

function named(name: string, value: GoValue, depth: number): Matcher {
  switch (name) {
    case 'equal':
      return equal(value);
    case 'have-prefix':
      return withTransform(toText, havePrefix(text(name, value)));
    case 'have-suffix':
      return withTransform(toText, haveSuffix(text(name, value)));
    case 'match-regexp':
      return withTransform(toText, matchRegexp(text(name, value)));
    case 'contain-substring':
      return withTransform(toText, containSubstring(text(name, value)));
    case 'have-len':
      if (typeof value === 'bigint') return haveLength(value);
      if (typeof value === 'number' && Number.isFinite(value)) return haveLength(BigInt(Math.trunc(value)));
      throw invalidArgument(name, 'numeric', value);
    case 'have-patterns':
      if (!isList(value)) throw invalidArgument(name, 'array', value);
      return withTransform(toText, havePatterns(value));
    case 'have-key':
      return haveKey(buildMatcher(value, depth));
    case 'contain-element':
      if (!isMap(value) && !['string', 'number', 'bigint'].includes(typeof value))
        throw invalidArgument(name, 'matcher, string or numeric', value);
      return withTransform(toArray, containElement(buildMatcher(value, depth)));
    case 'contain-elements':
      return withTransform(toArray, containElements(matchers('contains-elements', value, depth)));
    case 'consist-of':
      return consistOf(matchers(name, value, depth));
    case 'not':
      return not(buildMatcher(value, depth));
    case 'and':
      return and(matchers(name, value, depth));
    case 'or':
      return or(matchers(name, value, depth));
    case 'gt':
    case 'ge':
    case 'lt':
    case 'le':
      return withTransform(toNumeric, beNumerically(name, value));
    case 'semver-constraint':
      return semverConstraint(text(name, value));
    case 'gjson':
      if (!isMap(value)) throw invalidArgument(name, 'map', value);
      return and([...value].map(([path, inner]) => withTransform(atPath(path), buildMatcher(inner, depth))));
    case 'xml':
      if (!isMap(value)) throw invalidArgument(name, 'map', value);
      return matchXml(text('xpath', value.get('xpath') ?? ''), text('result', value.get('result') ?? ''));
    default:
      throw new MatchError(`Syntax Error: Unknown matcher: ${name}`);
  }
}

function text(name: string, value: GoValue): string {
  if (typeof value === 'string') return value;
  throw invalidArgument(name, 'string', value);
}

function matchers(name: string, value: GoValue, depth: number): Matcher[] {
  if (!isList(value)) throw invalidArgument(name, 'array', value);
  return value.map((inner) => buildMatcher(inner, depth));
}

function invalidArgument(name: string, expected: string, value: GoValue): MatchError {
  const type = value === null ? '<nil>' : goType(value);
  const shown = value === null ? '%!q(<nil>)' : quoted(value);
  return new MatchError(
    `Syntax Error: Invalid '${name}' argument. Expected ${expected} value, but received: ${type}: ${shown}`,
  );
}

/** A value inside another as Go's `%q` prints it: whole numbers as the character that they stand for. */
function quoted(value: GoValue): string {
  if (value === null) return '<nil>';
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'bigint') return goQuoteRune(value);
  if (value instanceof GoTime) return goQuote(valueText(value));
  if (isList(value)) return `[${value.map(quoted).join(' ')}]`;
  if (isMap(value)) return `map[${quotedEntries(value)}]`;
  return `%!q(${goType(value)}=${valueText(value)})`;
}

function quotedEntries(map: GoMap): string {
  return sortedEntries(map)
    .map(([key, item]) => `${goQuote(key)}:${quoted(item)}`)
    .join(' ');
}
