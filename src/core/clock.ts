/** The time of day, as an argument: what must be reproducible never reads the real one. */
export interface Clock {
  /** Now, or the frozen moment. */
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** A clock that stands still at `epoch` seconds since 1970 (SOURCE_DATE_EPOCH). */
export function frozenClock(epoch: number): Clock {
  return { now: () => new Date(epoch * 1000) };
}
