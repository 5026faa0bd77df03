/** Node's timers take 31 bits; what is longer ends after 1 ms (nodejs.org/api/timers.html, setTimeout). */
const LONGEST = 2 ** 31 - 1;

/** A duration in milliseconds as a timer takes it: `1000h`, which means as good as never, is 24 days then. */
export function timerMs(ms: number): number {
  return Math.min(ms, LONGEST);
}
