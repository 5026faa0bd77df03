import { hasEnded } from '../core/last-day.ts';
import type { Finding } from './finding.ts';

/** A finding that somebody has accepted for a while. */
export interface Exception {
  readonly id: string;
  readonly reason: string;
  /** The last day on which it holds, in UTC: `2027-01-31`. */
  readonly expires: string;
}

/** What became of a policy's exceptions. */
export interface Excepted {
  /** Findings that stand. */
  readonly left: readonly Finding[];
  readonly used: readonly Exception[];
  readonly expired: readonly Exception[];
  readonly unused: readonly Exception[];
}

/** Takes the findings away that an exception lets pass. One that has ended lets nothing pass. */
export function applyExceptions(
  findings: readonly Finding[],
  exceptions: readonly Exception[],
  now: Date,
): Excepted {
  const expired = exceptions.filter((e) => hasEnded(e, now));
  const held = exceptions.filter((e) => !expired.includes(e));
  const ids = new Set(findings.map(({ id }) => id));
  const used = held.filter(({ id }) => ids.has(id));
  return {
    left: findings.filter(({ id }) => !used.some((e) => e.id === id)),
    used,
    expired,
    unused: held.filter((e) => !used.includes(e)),
  };
}
