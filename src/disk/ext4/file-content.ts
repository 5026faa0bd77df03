import { closeSync, constants, openSync, readSync } from 'node:fs';
import { IngotError } from '../../core/error.ts';
import { type Content, MOST_AT_ONCE } from './content.ts';
import type { Extents } from './extents.ts';
import { BLOCK } from './geometry.ts';
import { hostPath, type TreeFile } from './tree.ts';

const MOST_BYTES = MOST_AT_ONCE * BLOCK;
/** Zeros are left out in pieces of 64 KiB: what the file's holes were on the host does not matter, and must not. */
const PIECE = 16 * BLOCK;
const ZEROS = Buffer.alloc(PIECE);

/** Copies the contents of files, through one buffer. */
export class FileCopier {
  readonly #buffer = Buffer.allocUnsafeSlow(MOST_BYTES);
  readonly #content: Content;

  constructor(content: Content) {
    this.#content = content;
  }

  async copy(file: TreeFile, extents: Extents): Promise<void> {
    if (file.size > 2 ** 32 * BLOCK)
      throw new IngotError(
        'disk/too-large',
        `/${file.path} has ${file.size} bytes; a file has at most 16 TiB`,
      );
    const place = hostPath(file);
    const source = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NOATIME);
    try {
      for (let at = 0; at < file.size; at += MOST_BYTES) {
        const wait = this.#content.settle();
        if (wait) await wait;
        const length = Math.min(MOST_BYTES, file.size - at);
        this.#read(source, at, length, file);
        this.#put(this.#buffer.subarray(0, length), at / BLOCK, extents);
      }
    } finally {
      closeSync(source);
    }
  }

  #read(source: number, position: number, length: number, file: TreeFile): void {
    for (let at = 0; at < length; ) {
      const count = readSync(source, this.#buffer, at, length - at, position + at);
      if (count === 0)
        throw new IngotError(
          'disk/changed',
          `/${file.path} became shorter than ${file.size} bytes while it was read`,
          {
            hint: 'Something on this machine writes into the build; build again.',
          },
        );
      at += count;
    }
  }

  /** Puts what is not zero, in as few pieces as can be. */
  #put(data: Buffer, logical: number, extents: Extents): void {
    let from = 0;
    const flush = (to: number): void => {
      let at = logical + from / BLOCK;
      if (to > from)
        this.#content.put(data.subarray(from, to), (block, count) => {
          extents.add(at, block, count);
          at += count;
        });
    };
    for (let at = 0; at + PIECE <= data.length; at += PIECE) {
      if (data[at] !== 0 || data.compare(ZEROS, 0, PIECE, at, at + PIECE) !== 0) continue;
      flush(at);
      from = at + PIECE;
    }
    flush(data.length);
  }
}
