import { gomegaText } from '../gomega-text.ts';
import { type GoValue, isList, Strings } from '../values.ts';
import { compareSemantic, preReleaseParts, type SemanticVersion } from '../semantic-order.ts';
import { jsonString } from '../go-json.ts';
import { type Matcher, MatchError } from './matcher.ts';
import { simpleMatcher } from './simple.ts';

/** Every version fulfils a range such as `>1.0.0 <2.0.0 !=1.5.0 || >=3.0.0` (blang/semver's syntax). */
export function semverConstraint(constraint: string): Matcher {
  const matcher = simpleMatcher('semver-constraint', 'satisfy semver constraint', constraint, (actual) => {
    const range = parseRange(constraint);
    if (!range) throw new MatchError(`Expected a valid semver constraint.  Got:\n${gomegaText(constraint)}`);
    const versions = versionsOf(actual);
    if (!versions)
      throw new MatchError(
        `Expected a single or list of semver valid version(s).  Got:\n${gomegaText(actual)}`,
      );
    return versions.every((version) => range.some((all) => all.every((holds) => holds(version))));
  });
  // goss does not escape HTML's characters here, unless another matcher is around it.
  return { ...matcher, json: (html) => `{"semver-constraint":${jsonString(constraint, html)}}` };
}

function versionsOf(actual: GoValue): readonly SemanticVersion[] | undefined {
  const texts = actual instanceof Strings ? actual.items : isList(actual) ? actual : [actual];
  const versions = texts.map((text) => (typeof text === 'string' ? parseVersion(text) : undefined));
  return versions.length > 0 && versions.every((v) => v !== undefined) ? versions : undefined;
}

const VERSION =
  /^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

function parseVersion(text: string): SemanticVersion | undefined {
  const match = VERSION.exec(text);
  if (!match) return undefined;
  const [, major = '', minor = '', patch = '', pre] = match;
  if (pre?.split('.').some((part) => /^0[0-9]+$/.test(part))) return undefined;
  return { numbers: [BigInt(major), BigInt(minor), BigInt(patch)], pre: preReleaseParts(pre ?? '') };
}

type Holds = (version: SemanticVersion) => boolean;

const OPERATORS: Readonly<Record<string, (order: number) => boolean>> = {
  '': (order) => order === 0,
  '=': (order) => order === 0,
  '==': (order) => order === 0,
  '!': (order) => order !== 0,
  '!=': (order) => order !== 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
};

/** Alternatives (`||`) of conditions that hold together; undefined: no range. */
function parseRange(text: string): Holds[][] | undefined {
  const alternatives: Holds[][] = [];
  let choices: Holds[][] = [[]];
  const words = text
    .trim()
    .replace(/([<>=!])\s+/g, '$1')
    .split(/\s+/);
  for (const [i, word] of words.entries()) {
    if (word === '||') {
      // It stands between two conditions.
      if (i === 0 || i === words.length - 1 || words[i - 1] === '||') return undefined;
      alternatives.push(...choices);
      choices = [[]];
      continue;
    }
    const condition = parseCondition(word);
    if (!condition) return undefined;
    choices = choices.flatMap((before) => condition.map((more) => [...before, ...more]));
  }
  return [...alternatives, ...choices];
}

/** One comparison; with `x` in place of a number it becomes a range, or two for "not". */
function parseCondition(word: string): Holds[][] | undefined {
  const match = /^([<>=!]*)(.*)$/s.exec(word) as RegExpExecArray;
  const [, operator = '', version = ''] = match;
  const holds = OPERATORS[operator];
  if (!holds || !Object.hasOwn(OPERATORS, operator)) return undefined;
  // As in blang/semver the last `x` counts, and others before it are noughts.
  const wildcard = /^(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*))?\.x$/.exec(version.replace(/\.x\.x$/, '.0.x'));
  if (!wildcard) {
    const limit = parseVersion(version);
    return limit && [[(v) => holds(compareSemantic(v, limit))]];
  }
  const [, major = '', minor] = wildcard;
  const low: SemanticVersion = { numbers: [BigInt(major), BigInt(minor ?? 0), 0n], pre: [] };
  const high: SemanticVersion = {
    numbers: minor === undefined ? [BigInt(major) + 1n, 0n, 0n] : [BigInt(major), BigInt(minor) + 1n, 0n],
    pre: [],
  };
  const from: Holds = (v) => compareSemantic(v, low) >= 0;
  const below: Holds = (v) => compareSemantic(v, low) < 0;
  const until: Holds = (v) => compareSemantic(v, high) < 0;
  const beyond: Holds = (v) => compareSemantic(v, high) >= 0;
  switch (operator) {
    case '>':
      return [[beyond]];
    case '>=':
      return [[from]];
    case '<':
      return [[below]];
    case '<=':
      return [[until]];
    case '!':
    case '!=':
      return [[below], [beyond]];
    default:
      return [[from, until]];
  }
}
