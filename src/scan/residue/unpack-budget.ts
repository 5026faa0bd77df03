/** Most bytes that one stream is unpacked to: it may be made to have no end. */
const MOST_OF_ONE = 4 * 2 ** 30;
/** And all together; unpacking them takes minutes. */
const MOST = 16 * 2 ** 30;
/** Milliseconds for all that is unpacked by commands. */
const LONGEST = 15 * 60_000;

/** What a search may unpack, so that an image made to have no end comes to one. */
export class UnpackBudget {
  /** Something was not unpacked to its end. */
  exceeded = false;
  #bytes: number;
  readonly #mostOfOne: number;
  #milliseconds = LONGEST;

  constructor(most = MOST, mostOfOne = MOST_OF_ONE) {
    this.#bytes = most;
    this.#mostOfOne = mostOfOne;
  }

  /** Whether to go on after `bytes` more; `ofThis`: of the stream so far. */
  take(bytes: number, ofThis = bytes): boolean {
    this.#bytes -= bytes;
    if (this.#bytes > 0 && ofThis <= this.#mostOfOne) return true;
    this.exceeded = true;
    return false;
  }

  /** Milliseconds that are left; 0 when nothing more is unpacked. */
  get left(): number {
    if (this.#bytes > 0 && this.#milliseconds > 0) return this.#milliseconds;
    this.exceeded = true;
    return 0;
  }

  spend(milliseconds: number): void {
    this.#milliseconds -= milliseconds;
  }
}
