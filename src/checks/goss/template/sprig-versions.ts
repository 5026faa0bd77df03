import type { GoFunction } from '../../../template/gotemplate/execute.ts';
import { compareSemantic, preReleaseParts, type SemanticVersion } from '../semantic-order.ts';
import { refuse, text } from './arguments.ts';

interface Version {
  readonly numbers: readonly [number, number, number];
  readonly pre: string;
  readonly metadata: string;
}

/** A version as a constraint has it: parts that are left out or `x` are nought and loose. */
interface Limit extends Version {
  /** How many parts were given: 3 where all are. */
  readonly given: number;
}

const PARTS = String.raw`(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?`;
const VERSION = new RegExp(String.raw`^v?(\d{1,15})(?:\.(\d{1,15}))?(?:\.(\d{1,15}))?${PARTS}$`);
const CONDITION = new RegExp(
  String.raw`^(=|!=|>=|=>|<=|=<|>|<|~>|~|\^|)\s*v?(\d{1,15}|[xX*])(?:\.(\d{1,15}|[xX*]))?(?:\.(\d{1,15}|[xX*]))?${PARTS}$`,
);

function parseVersion(written: string): Version | undefined {
  const match = VERSION.exec(written);
  if (!match) return undefined;
  const [, major, minor = '0', patch = '0', pre = '', metadata = ''] = match;
  return { numbers: [Number(major), Number(minor), Number(patch)], pre, metadata };
}

function compare(a: Version, b: Version): number {
  const [one, other] = [a, b].map(({ numbers: [major, minor, patch], pre }) => ({
    numbers: [BigInt(major), BigInt(minor), BigInt(patch)] as const,
    pre: preReleaseParts(pre),
  }));
  return compareSemantic(one as SemanticVersion, other as SemanticVersion);
}

type Holds = (version: Version, limit: Limit) => boolean;

const sameUpTo = (parts: number, v: Version, limit: Limit): boolean =>
  limit.numbers.slice(0, parts).every((number, i) => number === v.numbers[i]);

/** `~1.2.3` keeps to 1.2, `~1` to 1; `~0.0.0` and `*` take everything. */
const tilde: Holds = (v, limit) => {
  if (compare(v, limit) < 0) return false;
  const isNought = limit.numbers.every((number) => number === 0);
  if (isNought && (limit.given === 3 || limit.given === 0)) return true;
  return sameUpTo(Math.min(limit.given, 2), v, limit);
};

/** `^` keeps to the first part that is not nought. */
const caret: Holds = (v, limit) => {
  if (compare(v, limit) < 0) return false;
  const [major, minor] = limit.numbers;
  if (major > 0 || limit.given === 1) return sameUpTo(1, v, limit);
  if (v.numbers[0] > 0) return false;
  if (minor > 0 || limit.given === 2) return sameUpTo(2, v, limit);
  return sameUpTo(3, v, limit);
};

const HOLDS: Readonly<Record<string, Holds>> = {
  '=': (v, limit) => (limit.given < 3 ? tilde(v, limit) : compare(v, limit) === 0),
  '!=': (v, limit) => (limit.given < 3 ? !sameUpTo(limit.given, v, limit) : compare(v, limit) !== 0),
  '>': (v, limit) =>
    limit.given === 3 || limit.given === 0
      ? compare(v, limit) > 0
      : !sameUpTo(limit.given, v, limit) && compare(v, limit) > 0,
  '<': (v, limit) => compare(v, limit) < 0,
  '>=': (v, limit) => compare(v, limit) >= 0,
  '<=': (v, limit) =>
    limit.given === 3 ? compare(v, limit) <= 0 : compare(v, limit) < 0 || sameUpTo(limit.given, v, limit),
  '~': tilde,
  '^': caret,
};
const OTHER_NAMES: Readonly<Record<string, string>> = { '': '=', '=>': '>=', '=<': '<=', '~>': '~' };

function parseCondition(word: string): (v: Version) => boolean {
  const match = CONDITION.exec(word);
  if (!match) return refuse(`improper constraint: ${word}`);
  const [, operator = '', major = '', minor, patch, pre = '', metadata = ''] = match;
  const parts = [major, minor, patch];
  const loose = parts.findIndex((part) => part === undefined || /^[xX*]$/.test(part));
  const given = loose === -1 ? 3 : loose;
  const number = (i: number): number => (i < given ? Number(parts[i]) : 0);
  const limit: Limit = { numbers: [number(0), number(1), number(2)], pre, metadata, given };
  const holds = HOLDS[OTHER_NAMES[operator] ?? operator] as Holds;
  // What comes before a release is meant only where the constraint names such a version.
  const takesAll = operator === '!=' && given === 3;
  return (v) => (takesAll || v.pre === '' || pre !== '') && holds(v, limit);
}

/** Alternatives by `||`, of conditions that hold together by `,` or blanks; `1.2 - 2` is a range. */
function fulfils(constraint: string, version: Version): boolean {
  const alternatives = constraint.split('||').map((alternative) =>
    alternative
      .trim()
      .replace(/(\S+)\s+-\s+(\S+)/g, '>=$1 <=$2')
      .replace(/([<>=~^!])\s+/g, '$1')
      .split(/[\s,]+/)
      .filter((word) => word !== '')
      .map(parseCondition),
  );
  if (alternatives.some((conditions) => conditions.length === 0))
    refuse(`improper constraint: ${constraint}`);
  return alternatives.some((conditions) => conditions.every((holds) => holds(version)));
}

function versionOf(value: unknown): Version {
  return parseVersion(text(value)) ?? refuse('Invalid Semantic Version');
}

function semver(value: unknown): Map<string, unknown> {
  const { numbers, pre, metadata } = versionOf(value);
  const [Major, Minor, Patch] = numbers;
  return new Map<string, unknown>(
    Object.entries({ Major, Minor, Patch, Prerelease: pre, Metadata: metadata, Original: text(value) }),
  );
}

/** sprig's functions on versions (github.com/Masterminds/semver). */
export const versionFunctions: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ['semver', semver],
  ['semverCompare', (constraint, version) => fulfils(text(constraint), versionOf(version))],
]);
