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

export type Packing = 'gzip' | 'xz' | 'zstd';

/**
 * What a packed stream begins with: bytes that are looked for, of which the first is rare in texts, and how many come
 * before them.
 */
const SIGNS: readonly {
  readonly packing: Packing;
  readonly before: Uint8Array;
  readonly bytes: Uint8Array;
}[] = [
  // RFC 1952, section 2.3.1: the two identifying bytes, and deflate.
  { packing: 'gzip', before: Uint8Array.of(), bytes: Uint8Array.of(0x1f, 0x8b, 8) },
  // The .xz file format, section 2.1.1.1.
  { packing: 'xz', before: Uint8Array.of(), bytes: Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0) },
  // RFC 8878, section 3.1.1: 0xFD2FB528, little-endian; its first byte is a bracket.
  { packing: 'zstd', before: Uint8Array.of(0x28), bytes: Uint8Array.of(0xb5, 0x2f, 0xfd) },
];
const LONGEST_SIGN = 6;

/** Where something begins that looks packed. */
export interface PackedPlace {
  readonly packing: Packing;
  readonly offset: number;
}

/** Needles, made ready once for any number of searches. */
export class NeedleSet {
  readonly needles: readonly Needle[];
  readonly search: MultiSearch;

  constructor(needles: readonly Needle[]) {
    this.needles = needles;
    // The few bytes of SIGNS are searched by themselves: among the needles they would shorten every skip.
    this.search = new MultiSearch(needles.map(({ bytes }) => bytes));
  }
}

/** The search for needles in bytes that come piece by piece. */
export class StreamSearch {
  readonly hits: Hit[] = [];
  readonly packed: PackedPlace[] = [];
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
    const keep = Math.max(this.#set.search.longest, LONGEST_SIGN) - 1;
    const before = this.#tail.length;
    if (before > 0) {
      const seam = Buffer.concat([this.#tail, data.subarray(0, keep)]);
      this.#scan(seam, offset - before, before);
      const from = Math.max(0, before - LONGEST_SIGN + 1);
      // What ends before the seam was seen there.
      this.#findPacked(
        seam,
        offset - before,
        (start, end) => start >= from && start < before && end > before,
      );
    }
    this.#scan(data, offset, data.length);
    this.#findPacked(data, offset, () => true);
    const last = data.length >= keep ? data : Buffer.concat([this.#tail, data]);
    this.#tail = Buffer.from(last.subarray(Math.max(0, last.length - keep)));
    this.#next = offset + data.length;
  }

  #findPacked(text: Buffer, offset: number, isOurs: (start: number, end: number) => boolean): void {
    for (const { packing, before, bytes } of SIGNS) {
      for (let at = text.indexOf(bytes); at >= 0; at = text.indexOf(bytes, at + 1)) {
        const start = at - before.length;
        if (start < 0 || !before.every((byte, i) => text[start + i] === byte)) continue;
        if (isOurs(start, at + bytes.length)) this.packed.push({ packing, offset: offset + start });
      }
    }
  }

  /** Tells what begins before `before`. */
  #scan(text: Buffer, offset: number, before: number): void {
    this.#set.search.search(text, (index, at) => {
      const needle = this.#set.needles[index] as Needle;
      // In the seam: what lies in the new piece alone is found there, what lies in the tail alone was found.
      if (at >= before || (text.length !== before && at + needle.bytes.length <= before)) return;
      if (needle.isWord && (isWordByte(text[at - 1]) || isWordByte(text[at + needle.bytes.length]))) return;
      const count = (this.#found.get(needle.secret) ?? 0) + 1;
      this.#found.set(needle.secret, count);
      if (count <= MOST_HITS) this.hits.push({ needle, offset: offset + at });
    });
  }
}

/** ASCII's letters and digits. */
function isWordByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const letter = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x7a);
}
