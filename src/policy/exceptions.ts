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

/** Whether an exception has ended: the whole last day counts, in UTC. */
export function hasEnded({ expires }: Pick<Exception, 'expires'>, now: Date): boolean {
  return now.toISOString().slice(0, 10) > expires;
}

/** Whether a text is a day of the calendar: `2027-01-31`. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
