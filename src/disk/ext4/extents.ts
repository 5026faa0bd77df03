import { continueCrc32c } from '../formats/crc32c.ts';
import type { Content } from './content.ts';
import { BLOCK } from './geometry.ts';

const MAGIC = 0xf30a;
const ENTRY = 12;
const HEADER = 12;
/** Entries in the inode itself, and in a block of the tree, whose last four bytes are its checksum. */
const IN_INODE = 4;
const IN_BLOCK = Math.floor((BLOCK - HEADER - 4) / ENTRY);
/** Longer runs would read as preallocated ones. */
const MOST_BLOCKS = 32768;

interface Extent {
  /** First block in the file. */
  readonly logical: number;
  /** First block in the filesystem. */
  readonly block: number;
  count: number;
}

/** Where a file's blocks are, gathered in ascending order. */
export class Extents {
  readonly #extents: Extent[] = [];
  /** Blocks in use, those of the tree included once it is written. */
  blocks = 0;

  add(logical: number, block: number, count: number): void {
    this.blocks += count;
    let at = 0;
    const last = this.#extents.at(-1);
    if (last && last.logical + last.count === logical && last.block + last.count === block) {
      at = Math.min(count, MOST_BLOCKS - last.count);
      last.count += at;
    }
    for (; at < count; at += MOST_BLOCKS)
      this.#extents.push({
        logical: logical + at,
        block: block + at,
        count: Math.min(count - at, MOST_BLOCKS),
      });
  }

  /**
   * Writes the tree (kernel documentation, ext4, "Extent Tree"): its root into the 60 bytes of `root`, the rest into
   * blocks, with checksums that start at `seed`, the inode's.
   */
  async write(root: Buffer, content: Content, seed: number): Promise<void> {
    let depth = 0;
    let entries = this.#extents.map((extent) => ({ logical: extent.logical, bytes: leafEntry(extent) }));
    while (entries.length > IN_INODE) {
      const parents: typeof entries = [];
      for (let at = 0; at < entries.length; at += IN_BLOCK) {
        const part = entries.slice(at, at + IN_BLOCK);
        await content.settle();
        const { number, data } = content.block();
        node(data, part, IN_BLOCK, depth);
        const end = HEADER + IN_BLOCK * ENTRY;
        data.writeUInt32LE(continueCrc32c(seed, data.subarray(0, end)), end);
        const logical = part[0]?.logical ?? 0;
        parents.push({ logical, bytes: indexEntry(logical, number) });
        this.blocks++;
      }
      entries = parents;
      depth++;
    }
    node(root, entries, IN_INODE, depth);
  }
}

function node(target: Buffer, entries: readonly { bytes: Buffer }[], most: number, depth: number): void {
  target.writeUInt16LE(MAGIC, 0);
  target.writeUInt16LE(entries.length, 2);
  target.writeUInt16LE(most, 4);
  target.writeUInt16LE(depth, 6);
  for (const [i, { bytes }] of entries.entries()) target.set(bytes, HEADER + i * ENTRY);
}

function leafEntry({ logical, block, count }: Extent): Buffer {
  const entry = Buffer.alloc(ENTRY);
  entry.writeUInt32LE(logical, 0);
  entry.writeUInt16LE(count, 4);
  entry.writeUInt32LE(block % 2 ** 32, 8);
  entry.writeUInt16LE(Math.floor(block / 2 ** 32), 6);
  return entry;
}

function indexEntry(logical: number, block: number): Buffer {
  const entry = Buffer.alloc(ENTRY);
  entry.writeUInt32LE(logical, 0);
  entry.writeUInt32LE(block % 2 ** 32, 4);
  entry.writeUInt16LE(Math.floor(block / 2 ** 32), 8);
  return entry;
}
