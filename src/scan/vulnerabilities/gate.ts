import { atLeast, type URGENCIES, type Vulnerability } from './advisory.ts';
import { hasEnded } from '../../core/last-day.ts';
import type { IgnoreRule } from './ignore.ts';
import { excuseOf, type VexStatement } from './openvex.ts';

export interface GateOptions {
  /** Fail where a fix is available and not installed. */
  readonly fixable: boolean;
  /** Fail at this urgency and above, fix or not. */
  readonly failOn?: (typeof URGENCIES)[number];
  /** Fail where nobody has said how urgent it is. */
  readonly unknown: boolean;
  readonly ignore: readonly IgnoreRule[];
  readonly vex: readonly VexStatement[];
}

export type Verdict = 'fails' | 'passes' | 'ignored' | 'not-affected';

export interface Judged extends Vulnerability {
  readonly verdict: Verdict;
  /** Why it fails, or why it doesn't count; "" where it just passes. */
  readonly why: string;
}

export interface GateResult {
  readonly judged: readonly Judged[];
  /** Rules that have ended: each fails the check, also when nothing needs it any more. */
  readonly expired: readonly IgnoreRule[];
  /** Rules that nothing needed. */
  readonly unused: readonly IgnoreRule[];
}

/** Decides about each vulnerability: what VEX excludes, what is ignored, and what the gate lets through. */
export function judge(vulnerabilities: readonly Vulnerability[], o: GateOptions, now: Date): GateResult {
  const used = new Set<IgnoreRule>();
  const expired = o.ignore.filter((rule) => hasEnded(rule, now));
  const judged = vulnerabilities.map((found): Judged => {
    const statement = excuseOf(o.vex, found.id, found.purls);
    if (statement) {
      const why = statement.why === '' ? `fixed, says ${statement.file}` : statement.why;
      return { ...found, verdict: 'not-affected', why };
    }
    const rules = o.ignore.filter((r) => r.id === found.id && (r.package ?? found.name) === found.name);
    for (const rule of rules) used.add(rule);
    const rule = rules.find((r) => !expired.includes(r));
    if (rule) return { ...found, verdict: 'ignored', why: `${rule.reason} (until ${rule.expires})` };
    const why = reasonToFail(found, o);
    return { ...found, verdict: why === undefined ? 'passes' : 'fails', why: why ?? '' };
  });
  return { judged, expired, unused: o.ignore.filter((r) => !used.has(r) && !expired.includes(r)) };
}

function reasonToFail(found: Vulnerability, o: GateOptions): string | undefined {
  const { state, fixed, name, installed, urgency } = found;
  if (o.fixable && state === 'fixable')
    return `${name} ${installed} is installed; ${fixed ?? 'a later version'} has the fix`;
  if (o.failOn !== undefined && atLeast(urgency, o.failOn))
    return `${name} ${installed}: urgency ${urgency}, and fail_on is ${o.failOn}`;
  if (o.unknown && urgency === 'unknown') return `${name} ${installed}: nobody has said how urgent it is`;
  return undefined;
}
