/** Told of a pattern, by its index, and where it begins. */
export type OnMatch = (pattern: number, at: number) => void;

/** Bytes that a place is judged by; see `MultiSearch`. */
const PAIR = 2;
const PAIRS = 1 << 16;
/** Longest skip: it has to fit into a byte. */
const LONGEST_SKIP = 255;

/**
 * Looks for many texts of bytes at once: Wu and Manber, "A fast algorithm for multi-pattern searching" (1994), with
 * blocks of two bytes. With the shortest pattern of n bytes it looks at about one place in n.
 */
export class MultiSearch {
  /** Bytes of the longest pattern. */
  readonly longest: number;
  readonly #patterns: readonly Uint8Array[];
  /** How many bytes of every pattern are looked at first. */
  readonly #window: number;
  /** By the pair of bytes at the window's end: how far no pattern can begin from here. */
  readonly #skip: Uint8Array;
  readonly #ending: ReadonlyMap<number, readonly number[]>;
  /** What each byte of the text counts as. */
  readonly #fold: Uint8Array;

  /**
   * `ignoreCase`: ASCII's letters count alike; the patterns must be in lower case. Throws RangeError for a pattern of
   * fewer than two bytes.
   */
  constructor(patterns: readonly Uint8Array[], { ignoreCase = false } = {}) {
    this.#fold = Uint8Array.from({ length: 256 }, (_, byte) =>
      ignoreCase && byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
    );
    const lengths = patterns.map((p) => p.length);
    const shortest = Math.min(LONGEST_SKIP, ...lengths);
    if (shortest < PAIR) throw new RangeError(`a pattern of ${shortest} bytes; expected at least ${PAIR}`);
    this.#patterns = patterns;
    this.longest = Math.max(PAIR, ...lengths);
    this.#window = shortest;
    this.#skip = new Uint8Array(PAIRS).fill(shortest - PAIR + 1);
    const ending = new Map<number, number[]>();
    for (const [index, pattern] of patterns.entries()) {
      for (let end = PAIR - 1; end < shortest; end++) {
        const pair = ((pattern[end - 1] as number) << 8) | (pattern[end] as number);
        this.#skip[pair] = Math.min(this.#skip[pair] as number, shortest - 1 - end);
        if (end === shortest - 1) ending.set(pair, [...(ending.get(pair) ?? []), index]);
      }
    }
    this.#ending = ending;
  }

  /** Tells every place in `text`, ascending, where a pattern lies whole. */
  search(text: Uint8Array, onMatch: OnMatch): void {
    if (this.#patterns.length === 0) return;
    const skip = this.#skip;
    const fold = this.#fold;
    const window = this.#window;
    const { length } = text;
    for (let end = window - 1; end < length; ) {
      const pair = ((fold[text[end - 1] as number] as number) << 8) | (fold[text[end] as number] as number);
      const by = skip[pair] as number;
      if (by > 0) {
        end += by;
        continue;
      }
      const start = end - window + 1;
      for (const index of this.#ending.get(pair) ?? [])
        if (this.#matches(text, start, this.#patterns[index] as Uint8Array)) onMatch(index, start);
      end++;
    }
  }

  #matches(text: Uint8Array, start: number, pattern: Uint8Array): boolean {
    if (start + pattern.length > text.length) return false;
    for (let i = 0; i < pattern.length; i++)
      if (this.#fold[text[start + i] as number] !== pattern[i]) return false;
    return true;
  }
}
