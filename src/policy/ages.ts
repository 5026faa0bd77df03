import { ageText, isAge } from '../core/age.ts';
import type { Finding } from './finding.ts';

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
  if (!isAge(age))
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
