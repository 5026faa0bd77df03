import { gomegaText } from '../gomega-text.ts';
import { type GoValue, isList, Strings } from '../values.ts';
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

function versionsOf(actual: GoValue): readonly Version[] | undefined {
  const texts = actual instanceof Strings ? actual.items : isList(actual) ? actual : [actual];
  const versions = texts.map((text) => (typeof text === 'string' ? parseVersion(text) : undefined));
  return versions.length > 0 && versions.every((v) => v !== undefined) ? versions : undefined;
}

interface Version {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly pre: readonly (string | bigint)[];
}

const VERSION =
  /^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  if (!match) return undefined;
  const [, major = '', minor = '', patch = '', pre] = match;
  const parts = pre?.split('.') ?? [];
  if (parts.some((part) => /^0[0-9]+$/.test(part))) return undefined;
  return {
    numbers: [BigInt(major), BigInt(minor), BigInt(patch)],
    pre: parts.map((part) => (/^[0-9]+$/.test(part) ? BigInt(part) : part)),
  };
}

/** Semantic Versioning 2.0.0, section 11. */
function compare(a: Version, b: Version): number {
  for (let i = 0; i < 3; i++) {
    const [x, y] = [a.numbers[i] as bigint, b.numbers[i] as bigint];
    if (x !== y) return x < y ? -1 : 1;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const [x, y] = [a.pre[i], b.pre[i]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    if (x === y) continue;
    if (typeof x !== typeof y) return typeof x === 'bigint' ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}

type Holds = (version: Version) => boolean;

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
    return limit && [[(v) => holds(compare(v, limit))]];
  }
  const [, major = '', minor] = wildcard;
  const low: Version = { numbers: [BigInt(major), BigInt(minor ?? 0), 0n], pre: [] };
  const high: Version = {
    numbers: minor === undefined ? [BigInt(major) + 1n, 0n, 0n] : [BigInt(major), BigInt(minor) + 1n, 0n],
    pre: [],
  };
  const from: Holds = (v) => compare(v, low) >= 0;
  const below: Holds = (v) => compare(v, low) < 0;
  const until: Holds = (v) => compare(v, high) < 0;
  const beyond: Holds = (v) => compare(v, high) >= 0;
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
