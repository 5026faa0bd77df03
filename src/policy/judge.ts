import { ageText } from '../core/age.ts';
import { hasEnded } from '../core/last-day.ts';
import { tooOld } from './ages.ts';
import { applyExceptions, type Exception } from './exceptions.ts';
import type { Finding } from './finding.ts';
import { forbiddenPackages, type InstalledPackage } from './packages.ts';
import { type PrivilegedFile, unexpectedPrivileges } from './privilege-rules.ts';
import type { PolicyOptions } from './spec.ts';

/** A hardening check, decided. */
export interface HardeningCheck {
  readonly set: string;
  readonly id: string;
  readonly title: string;
  /** Why it matters. */
  readonly reason?: string;
  /** Requirements of PCI DSS 4.0 that it serves. */
  readonly pci?: readonly string[];
  /** `n/a`: what it speaks of is not in the image. */
  readonly status: 'passed' | 'failed' | 'n/a';
  readonly message?: string;
}

/** A required proof, and what is wrong with it, if something is. */
export interface ProofFact {
  readonly name: string;
  readonly problem?: string;
}

/** What the policy is asked about. Parts that it does not speak of are left out. */
export interface PolicyFacts {
  readonly proofs: readonly ProofFact[];
  /** Milliseconds since 1970. */
  readonly baseDate?: number;
  readonly vulnerabilityDate?: number;
  readonly packages?: readonly InstalledPackage[];
  /** What kept the packages from being read. */
  readonly unreadPackages?: readonly string[];
  readonly privileged?: readonly PrivilegedFile[];
  /** Rules of `allow_privileged`, with lists written out. */
  readonly privilegeRules?: readonly string[];
  readonly hardening?: readonly HardeningCheck[];
}

export interface PolicyCheck {
  readonly name: string;
  readonly passed: boolean;
  readonly message?: string;
}

export interface PolicyResult {
  readonly passed: boolean;
  readonly checks: readonly PolicyCheck[];
  readonly findings: readonly Finding[];
  readonly exceptions: readonly (Exception & { readonly state: 'used' | 'expired' | 'unused' })[];
  readonly hardening: readonly HardeningCheck[];
  readonly privileged: readonly PrivilegedFile[];
}

const PROOFS = 'proofs';
const EXPIRED = 'policy/expired-exception';
const BASE = {
  id: 'base-age',
  code: 'policy/old-base',
  name: 'what the image starts from',
  remedy: 'Run `ingot update`, and build again.',
};
const DATA = {
  id: 'vulnerability-data-age',
  code: 'policy/old-vulnerability-data',
  name: 'the vulnerability data',
  remedy: 'Fetch newer data: see `databases` of test "vulnerabilities".',
};

/** Judges an image by a policy: every finding at once, and what passed in a line for each rule. */
export function judgePolicy(o: PolicyOptions, facts: PolicyFacts, now: Date): PolicyResult {
  const rules = rulesOf(o, facts, now);
  // Required proofs have no exceptions.
  const [proofs, others] = [rules.filter((r) => r.name === PROOFS), rules.filter((r) => r.name !== PROOFS)];
  const applied = applyExceptions(
    others.flatMap(({ findings }) => findings),
    o.except,
    now,
  );
  const standing = [...proofs.flatMap(({ findings }) => findings), ...applied.left];
  const checks: PolicyCheck[] = rules
    .filter(({ findings }) => !findings.some((f) => standing.includes(f)))
    .map(({ name, passed, findings }) => {
      const excepted = findings.length > 0 ? `, ${findings.length} excepted` : '';
      return { name, passed: true, message: `${passed}${excepted}` };
    });
  const left = [...new Map(standing.map((finding) => [finding.id, finding])).values()];
  for (const { id, code, message } of left)
    checks.push({ name: id, passed: false, message: `${message} [${code}]` });
  for (const { id, expires, reason } of applied.expired) {
    const message = `the exception ended on ${expires} (${reason}); renew or remove it [${EXPIRED}]`;
    checks.push({ name: `except ${id}`, passed: false, message });
  }
  for (const { id, expires, reason } of applied.used)
    checks.push({ name: `except ${id}`, passed: true, message: `until ${expires}: ${reason}` });
  for (const { id } of applied.unused)
    checks.push({ name: `except ${id}`, passed: true, message: 'the exception is not needed any more' });
  return {
    passed: checks.every(({ passed }) => passed),
    checks,
    findings: left,
    exceptions: (['used', 'expired', 'unused'] as const).flatMap((state) =>
      applied[state].map((exception) => ({ ...exception, state })),
    ),
    hardening: facts.hardening ?? [],
    privileged: facts.privileged ?? [],
  };
}

/**
 * What of a policy's answer depends on the day: it is part of a step's digest, so that an answer is taken from the cache
 * until the day on which it would be another.
 */
export function answersOfToday(
  o: PolicyOptions,
  baseDate: number | undefined,
  now: Date,
): { readonly oldBase: boolean; readonly ended: readonly string[] } {
  return {
    oldBase: o.max_base_age !== undefined && tooOld(BASE, baseDate, o.max_base_age, now) !== undefined,
    ended: o.except.filter((e) => hasEnded(e, now)).map(({ id }) => id),
  };
}

interface Rule {
  readonly name: string;
  /** What is said when nothing was found. */
  readonly passed: string;
  readonly findings: readonly Finding[];
}

function rulesOf(o: PolicyOptions, facts: PolicyFacts, now: Date): Rule[] {
  const rules: Rule[] = [];
  const add = (name: string, passed: string, findings: readonly Finding[]): void => {
    rules.push({ name, passed, findings });
  };
  if (o.require.length > 0) add(PROOFS, facts.proofs.map(({ name }) => name).join(', '), unproven(facts));
  if (o.seal.length > 0) add('seal operations', o.seal.join(', '), []);
  if (o.max_base_age !== undefined) {
    const found = tooOld(BASE, facts.baseDate, o.max_base_age, now);
    add('age of the base', ageOf(facts.baseDate, o.max_base_age, now), found ? [found] : []);
  }
  if (o.max_vulnerability_data_age !== undefined) {
    const date = facts.vulnerabilityDate;
    const found = tooOld(DATA, date, o.max_vulnerability_data_age, now);
    add(
      'age of the vulnerability data',
      ageOf(date, o.max_vulnerability_data_age, now),
      found ? [found] : [],
    );
  }
  if (facts.packages) {
    const unread = (facts.unreadPackages ?? []).map((message) => ({
      id: 'packages',
      code: 'policy/unread-packages',
      message: `${message}: what is installed cannot be told. Repair the package database.`,
    }));
    const found = [...unread, ...forbiddenPackages(facts.packages, o.forbid_packages)];
    add('forbidden packages', `none of ${facts.packages.length} installed`, found);
  }
  if (facts.privileged) {
    const found = unexpectedPrivileges(facts.privileged, facts.privilegeRules ?? []);
    add('privileged files', `${facts.privileged.length} files, all allowed`, found);
  }
  for (const set of o.hardening) {
    const checks = (facts.hardening ?? []).filter((check) => check.set === set);
    add(`hardening ${set}`, countsOf(checks), weaknesses(checks));
  }
  return rules;
}

function unproven({ proofs }: PolicyFacts): Finding[] {
  return proofs.flatMap(({ name, problem }) =>
    problem === undefined
      ? []
      : [{ id: `proof:${name}`, code: 'policy/unproven', message: `"${name}" is required: ${problem}.` }],
  );
}

function weaknesses(checks: readonly HardeningCheck[]): Finding[] {
  return checks
    .filter(({ status }) => status === 'failed')
    .map(({ id, title, message, pci }) => {
      const serves = pci && pci.length > 0 ? ` (PCI DSS ${pci.join(', ')})` : '';
      return { id, code: 'policy/weak', message: `${title}${serves}: ${message ?? 'not so'}` };
    });
}

function countsOf(checks: readonly HardeningCheck[]): string {
  const count = (status: HardeningCheck['status']): number =>
    checks.filter((check) => check.status === status).length;
  const absent = count('n/a') > 0 ? `, ${count('n/a')} of what is not installed` : '';
  return `${count('passed')} checks passed${absent}`;
}

function ageOf(date: number | undefined, most: number, now: Date): string {
  return date === undefined ? '' : `${ageText(now.getTime() - date)}; at most ${ageText(most)}`;
}
