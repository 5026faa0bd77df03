import { continueCrc32c } from '../formats/crc32c.ts';
import { BLOCK } from './geometry.ts';
import type { FileKind } from './tree.ts';

/** What a directory holds, as it is stored. */
export interface Name {
  /** A string of bytes. */
  readonly name: string;
  readonly inode: number;
  readonly kind: FileKind;
}

const TYPES: Readonly<Record<FileKind, number>> = {
  file: 1,
  directory: 2,
  character: 3,
  block: 4,
  fifo: 5,
  socket: 6,
  symlink: 7,
};

const HEADER = 8;
/** The entry without a name at each block's end that holds its checksum (feature metadata_csum). */
const TAIL = 12;
const TAIL_TYPE = 0xde;
const ROOM = BLOCK - TAIL;

/**
 * A directory's blocks as a plain list (kernel documentation, ext4, "Linear (Classic) Directories"), `least` of them
 * at least. `names` begins with `.` and `..`; `seed` is the inode's, of checksums.
 */
export function directoryBlocks(names: readonly Name[], least: number, seed: number): Buffer {
  const blocks: Buffer[] = [];
  let block = Buffer.alloc(BLOCK);
  let last = 0;
  let end = 0;
  const close = (): void => {
    // The last entry reaches to the tail; an empty block is one entry that names nothing.
    block.writeUInt16LE(ROOM - last, last + 4);
    blocks.push(block);
    block = Buffer.alloc(BLOCK);
    last = 0;
    end = 0;
  };
  for (const { name, inode, kind } of names) {
    const size = HEADER + Math.ceil(name.length / 4) * 4;
    if (end + size > ROOM) close();
    block.writeUInt32LE(inode, end);
    block.writeUInt16LE(size, end + 4);
    block[end + 6] = name.length;
    block[end + 7] = TYPES[kind];
    block.write(name, end + HEADER, 'latin1');
    last = end;
    end += size;
  }
  do close();
  while (blocks.length < least);
  for (const whole of blocks) sign(whole, seed);
  return blocks.length === 1 ? (blocks[0] as Buffer) : Buffer.concat(blocks);
}

function sign(block: Buffer, seed: number): void {
  block.writeUInt16LE(TAIL, ROOM + 4);
  block[ROOM + 7] = TAIL_TYPE;
  block.writeUInt32LE(continueCrc32c(seed, block.subarray(0, ROOM)), ROOM + 8);
}
