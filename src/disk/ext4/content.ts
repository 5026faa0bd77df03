import { write } from 'node:fs';
import { IngotError } from '../../core/error.ts';
import { BLOCK, type BlockRange, type Geometry } from './geometry.ts';

/** Blocks in one buffer; what is put in one go must be smaller. */
const STAGE_BLOCKS = 2048;
/** Most blocks that may be put between two calls of `settle`. */
export const MOST_AT_ONCE = 256;

/** Told where blocks went: `count` of them from `block` on. */
export type OnRun = (block: number, count: number) => void;

interface Segment {
  readonly block: number;
  readonly from: number;
  to: number;
}

/**
 * The blocks of content. They are given out in ascending order around what the geometry reserves, so that everything
 * below `next` is taken, and gathered in two buffers: one is written while the other is filled.
 */
export class Content {
  readonly #file: number;
  readonly #offset: number;
  readonly #blocks: number;
  readonly #reserved: readonly BlockRange[];
  #passed = 0;
  #next = 0;
  #stage = Buffer.allocUnsafeSlow(STAGE_BLOCKS * BLOCK);
  #spare = Buffer.allocUnsafeSlow(STAGE_BLOCKS * BLOCK);
  #used = 0;
  #segments: Segment[] = [];
  #writing: Promise<void> = Promise.resolve();

  /** `file`: open for writing; `offset`: where in it the filesystem begins. */
  constructor(file: number, offset: number, geometry: Geometry) {
    this.#file = file;
    this.#offset = offset;
    this.#blocks = geometry.blocks;
    this.#reserved = geometry.reserved;
  }

  /** The first block that is free, and all after it but the reserved ones. */
  get next(): number {
    return this.#next;
  }

  /** Puts bytes, filled up with zeros to whole blocks. Call `settle` first. */
  put(data: Uint8Array, onRun: OnRun): void {
    let at = 0;
    for (let left = Math.ceil(data.length / BLOCK); left > 0; ) {
      const run = this.#take(left);
      const room = this.#room(run.block, run.count);
      const part = data.subarray(at, at + room.length);
      room.set(part);
      room.fill(0, part.length);
      onRun(run.block, run.count);
      at += room.length;
      left -= run.count;
    }
  }

  /** A block of zeros for the caller to fill before the next `settle`. */
  block(): { readonly number: number; readonly data: Buffer } {
    const { block } = this.#take(1);
    return { number: block, data: this.#room(block, 1).fill(0) };
  }

  /** Takes blocks and leaves them as they are: a hole in the file, zeros when read. */
  leave(count: number, onRun: OnRun): void {
    for (let left = count; left > 0; ) {
      const run = this.#take(left);
      onRun(run.block, run.count);
      left -= run.count;
    }
  }

  /** Makes room for MOST_AT_ONCE blocks; resolves at once unless a buffer has to be written. */
  settle(): Promise<void> | undefined {
    return this.#used + MOST_AT_ONCE > STAGE_BLOCKS ? this.#turn() : undefined;
  }

  /** Writes what is left. */
  async end(): Promise<void> {
    await this.#turn();
    await this.#writing;
  }

  /** Waits for a write under way, however it ends: the file may be closed then. */
  async idle(): Promise<void> {
    await this.#writing.catch(() => {});
  }

  async #turn(): Promise<void> {
    await this.#writing;
    this.#writing = this.#write(this.#stage, this.#segments);
    // Seen by the next turn; without a handler until then it would end the process.
    this.#writing.catch(() => {});
    [this.#stage, this.#spare] = [this.#spare, this.#stage];
    this.#used = 0;
    this.#segments = [];
  }

  async #write(buffer: Buffer, segments: readonly Segment[]): Promise<void> {
    for (const { block, from, to } of segments)
      await writeAll(this.#file, buffer.subarray(from * BLOCK, to * BLOCK), this.#offset + block * BLOCK);
  }

  /** The next free blocks, at most `most`, in one run. */
  #take(most: number): { block: number; count: number } {
    let range = this.#reserved[this.#passed];
    while (range && range.start <= this.#next) {
      this.#next = Math.max(this.#next, range.end);
      range = this.#reserved[++this.#passed];
    }
    const count = Math.min(most, (range?.start ?? this.#blocks) - this.#next);
    if (count <= 0) {
      throw new IngotError(
        'disk/too-small',
        `the content does not fit into a root of ${this.#blocks * BLOCK} bytes`,
        {
          hint: 'Raise `size` in the disk block, or leave it out: then it follows from the content.',
        },
      );
    }
    const block = this.#next;
    this.#next += count;
    return { block, count };
  }

  #room(block: number, count: number): Buffer {
    const from = this.#used;
    const last = this.#segments.at(-1);
    if (last && last.block + last.to - last.from === block) last.to += count;
    else this.#segments.push({ block, from, to: from + count });
    this.#used += count;
    return this.#stage.subarray(from * BLOCK, (from + count) * BLOCK);
  }
}

async function writeAll(file: number, data: Buffer, position: number): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const offset = at;
    at += await new Promise<number>((resolve, reject) => {
      write(file, data, offset, data.length - offset, position + offset, (error, count) => {
        if (error) reject(error);
        else resolve(count);
      });
    });
  }
}
