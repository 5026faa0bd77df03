import { MultiSearch } from './multi-search.ts';
import type { Needle } from './needles.ts';

/** A place where a secret was found. */
export interface Hit {
  readonly needle: Needle;
  /** Bytes from the beginning of what was searched. */
  readonly offset: number;
}

/** More places of one secret tell nothing new. */
const MOST_HITS = 20;

/** RFC 1952, section 2.3.1: the two identifying bytes, and deflate. */
const GZIP = Uint8Array.of(0x1f, 0x8b, 8);

/** Needles, made ready once for any number of searches. */
export class NeedleSet {
  readonly needles: readonly Needle[];
  readonly search: MultiSearch;

  constructor(needles: readonly Needle[]) {
    this.needles = needles;
    // Gzip's three bytes are searched by themselves: among the needles they would shorten every skip.
    this.search = new MultiSearch(needles.map(({ bytes }) => bytes));
  }
}

/** The search for needles in bytes that come piece by piece. */
export class StreamSearch {
  readonly hits: Hit[] = [];
  /** Offsets at which something begins that looks like gzip. */
  readonly gzips: number[] = [];
  readonly #set: NeedleSet;
  readonly #found = new Map<number, number>();
  #tail = Buffer.alloc(0);
  #next = 0;

  constructor(set: NeedleSet) {
    this.#set = set;
  }

  /** Searches `data`, which lies at `offset`; what came before is remembered as far as a needle may begin in it. */
  add(data: Buffer, offset: number): void {
    if (data.length === 0) return;
    if (offset !== this.#next) this.#tail = Buffer.alloc(0);
    const keep = Math.max(this.#set.search.longest, GZIP.length) - 1;
    const before = this.#tail.length;
    if (before > 0) {
      const seam = Buffer.concat([this.#tail, data.subarray(0, keep)]);
      this.#scan(seam, offset - before, before);
      const at = seam.indexOf(GZIP, Math.max(0, before - GZIP.length + 1));
      if (at >= 0 && at < before) this.gzips.push(offset - before + at);
    }
    this.#scan(data, offset, data.length);
    for (let at = data.indexOf(GZIP); at >= 0; at = data.indexOf(GZIP, at + 1)) this.gzips.push(offset + at);
    const last = data.length >= keep ? data : Buffer.concat([this.#tail, data]);
    this.#tail = Buffer.from(last.subarray(Math.max(0, last.length - keep)));
    this.#next = offset + data.length;
  }

  /** Tells what begins before `before`. */
  #scan(text: Buffer, offset: number, before: number): void {
    this.#set.search.search(text, (index, at) => {
      const needle = this.#set.needles[index] as Needle;
      // In the seam: what lies in the new piece alone is found there, what lies in the tail alone was found.
      if (at >= before || (text.length !== before && at + needle.bytes.length <= before)) return;
      const count = (this.#found.get(needle.secret) ?? 0) + 1;
      this.#found.set(needle.secret, count);
      if (count <= MOST_HITS) this.hits.push({ needle, offset: offset + at });
    });
  }
}
