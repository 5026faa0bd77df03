/** The version of Packer whose language is spoken here; `packer.version` in templates. */
export const PACKER_VERSION = '1.9.5';

/** One condition on a version, as hashicorp/go-version reads it: `>= 1.7`, `~> 1.2.3`, `!= 2.0`. */
interface Condition {
  readonly operator: string;
  readonly version: Version;
}

interface Version {
  readonly numbers: readonly number[];
  /** How many numbers were written; `~>` holds all but the last of them. */
  readonly written: number;
  readonly prerelease: string;
}

export type Constraint = readonly Condition[];

const PATTERN = /^v?([0-9]+(?:\.[0-9]+)*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

function parseVersion(text: string): Version | undefined {
  const match = PATTERN.exec(text.trim());
  if (!match) return undefined;
  const numbers = (match[1] as string).split('.').map(Number);
  const written = numbers.length;
  while (numbers.length < 3) numbers.push(0);
  return { numbers, written, prerelease: match[2] ?? '' };
}

/** Reads `>= 1.7.0, < 2.0.0`; undefined where it is none. */
export function parseConstraint(text: string): Constraint | undefined {
  const conditions: Condition[] = [];
  for (const part of text.split(',')) {
    const match = /^\s*(=|!=|>=|<=|>|<|~>)?\s*(\S+)\s*$/.exec(part);
    const version = match && parseVersion(match[2] as string);
    if (!match || !version) return undefined;
    conditions.push({ operator: match[1] ?? '=', version });
  }
  return conditions;
}

/** Whether `version` meets all conditions. */
export function satisfies(version: string, constraint: Constraint): boolean {
  const parsed = parseVersion(version);
  return parsed !== undefined && constraint.every((condition) => meets(parsed, condition));
}

function meets(version: Version, { operator, version: wanted }: Condition): boolean {
  const order = compareVersions(version, wanted);
  switch (operator) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    default: {
      const held = wanted.numbers.slice(0, Math.max(1, wanted.written - 1));
      return order >= 0 && held.every((n, i) => version.numbers[i] === n);
    }
  }
}

function compareVersions(a: Version, b: Version): number {
  const length = Math.max(a.numbers.length, b.numbers.length);
  for (let i = 0; i < length; i++) {
    const difference = (a.numbers[i] ?? 0) - (b.numbers[i] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === '') return 1;
  if (b.prerelease === '') return -1;
  return a.prerelease < b.prerelease ? -1 : 1;
}
