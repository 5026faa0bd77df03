const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * Whether so many milliseconds are an age. Clocks differ, by a day at most: what is dated further ahead would pass for new until
 * then. NaN, of a date that is none, is no age either.
 */
export function isAge(ms: number): boolean {
  return ms >= -DAY;
}

/** `36 hours`, `12 days`. */
export function ageText(ms: number): string {
  return ms < 2 * DAY ? `${Math.round(ms / HOUR)} hours` : `${Math.round(ms / DAY)} days`;
}
