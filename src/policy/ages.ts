import type { Finding } from './finding.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The finding that something is older than it may be, or that nobody says how old it is. */
export function tooOld(
  what: { readonly id: string; readonly code: string; readonly name: string; readonly remedy: string },
  /** Milliseconds since 1970. */
  date: number | undefined,
  most: number,
  now: Date,
): Finding | undefined {
  const { id, code, name, remedy } = what;
  const allowed = `at most ${ageText(most)} are allowed`;
  if (date === undefined || Number.isNaN(date))
    return { id, code, message: `nothing says how old ${name} is; ${allowed}. ${remedy}` };
  const age = now.getTime() - date;
  const day = dayOf(date);
  // Clocks differ; a date of next year would pass for new until then.
  if (age < -DAY)
    return {
      id,
      code,
      message: `${name} is of ${day}, which is to come: nothing says how old it is; ${allowed}. ${remedy}`,
    };
  if (age <= most) return undefined;
  return { id, code, message: `${name} is of ${day}, ${ageText(age)} ago; ${allowed}. ${remedy}` };
}

function dayOf(date: number): string {
  const when = new Date(date);
  return Number.isNaN(when.getTime()) ? 'no time' : when.toISOString().slice(0, 10);
}

/** `36 hours`, `12 days`. */
export function ageText(ms: number): string {
  return ms < 2 * DAY ? `${Math.round(ms / HOUR)} hours` : `${Math.round(ms / DAY)} days`;
}
