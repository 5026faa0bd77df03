import type { Finding } from './finding.ts';
import { globMatcher } from './glob.ts';
import { RuleError } from './rule-error.ts';

/** Order of two versions: negative, 0, positive; undefined where they can't be compared. */
export type Compare = (a: string, b: string) => number | undefined;

/** A package that is installed. `compare`: the order of its kind's versions, where there is one. */
export interface InstalledPackage {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly compare?: Compare;
}

const OPERATORS: Readonly<Record<string, (order: number) => boolean>> = {
  '<<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '=': (order) => order === 0,
  '>=': (order) => order >= 0,
  '>>': (order) => order > 0,
};

interface PackageRule {
  readonly text: string;
  readonly matches: (name: string) => boolean;
  readonly version?: { readonly operator: string; readonly than: string };
}

/** Reads `name`, `pat*ern` or, as Debian writes relations (deb-version(7)), `name (<< version)`. Throws RuleError. */
export function parsePackageRule(text: string): PackageRule {
  const match = /^([^\s()]+)(?:\s*\(\s*(<<|<=|=|>=|>>)\s*([^\s()]+)\s*\))?$/.exec(text.trim());
  if (!match) {
    throw new RuleError(
      `"${text}" names no package; expected a name, a pattern, or "name (<< 1.2.3)"`,
      'A version is compared by one of << (before), <=, =, >=, >> (after).',
    );
  }
  const [, name = '', operator, than] = match;
  return {
    text,
    matches: globMatcher(name),
    ...(operator !== undefined && than !== undefined && { version: { operator, than } }),
  };
}

/** Installed packages that a rule forbids. A version that cannot be compared counts as forbidden. */
export function forbiddenPackages(
  installed: readonly InstalledPackage[],
  rules: readonly string[],
): readonly Finding[] {
  const parsed = rules.map(parsePackageRule);
  const found = new Map<string, Finding>();
  for (const { name, version, compare } of installed) {
    const rule = parsed.find((r) => r.matches(name) && isForbidden(version, r, compare));
    const id = `package:${name}`;
    if (!rule || found.has(id)) continue;
    const remedy = rule.version ? 'Install another version' : 'Take it out of the packages, or purge it';
    found.set(id, {
      id,
      code: 'policy/forbidden-package',
      message: `${name} ${version} is installed; "${rule.text}" forbids it. ${remedy}.`,
    });
  }
  return [...found.values()];
}

function isForbidden(installed: string, { version }: PackageRule, compare: Compare | undefined): boolean {
  if (!version) return true;
  const order = compare?.(installed, version.than);
  return order === undefined || (OPERATORS[version.operator]?.(order) ?? true);
}
