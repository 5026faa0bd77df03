import { createHash } from 'node:crypto';
import type { Digest } from '../../core/digest.ts';
import type { DataBlock } from './types.ts';

const ZEROS = Buffer.alloc(1 << 20);

/**
 * SHA-256 of the disk's bytes, taken once while it is read, for all formats that hold them as they are. Holes cost no
 * reading.
 */
export class ContentHash {
  readonly #sha = createHash('sha256');
  readonly #size: number;
  #at = 0;
  #wanted = false;

  constructor(size: number) {
    this.#size = size;
  }

  get wanted(): boolean {
    return this.#wanted;
  }

  /** To be called before the disk is read. */
  want(): void {
    this.#wanted = true;
  }

  add(blocks: readonly DataBlock[]): void {
    for (const { offset, data } of blocks) {
      addZeros(this.#sha, offset - this.#at);
      const part = data.subarray(0, this.#size - offset);
      this.#sha.update(part);
      this.#at = offset + part.length;
    }
  }

  /** Digest of the disk, filled with zeros to `size`, and then `tail`. */
  digest(size = this.#size, tail: Uint8Array = new Uint8Array()): Digest {
    const sha = this.#sha.copy();
    addZeros(sha, size - this.#at);
    return `sha256:${sha.update(tail).digest('hex')}`;
  }
}

function addZeros(sha: ReturnType<typeof createHash>, length: number): void {
  for (let left = length; left > 0; left -= ZEROS.length) {
    sha.update(left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS);
  }
}
