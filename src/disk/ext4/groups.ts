import { continueCrc32c } from '../formats/crc32c.ts';
import { BLOCK, BLOCKS_PER_GROUP, DESCRIPTOR_SIZE, type Geometry, superblockArea } from './geometry.ts';

const INODES_UNUSED = 0x1;
const BLOCKS_UNUSED = 0x2;
const TABLE_ZEROED = 0x4;

export interface Usage {
  readonly geometry: Geometry;
  /** All blocks below it are taken, and of those from it on the reserved ones. */
  readonly nextBlock: number;
  /** Inodes 1 to this are taken. */
  readonly lastInode: number;
  /** Of each group. */
  readonly directories: readonly number[];
  /** The filesystem's seed of checksums. */
  readonly seed: number;
}

export interface GroupState {
  /** Absent where nothing of the group is taken but what its descriptor says. */
  readonly blockBitmap?: Buffer;
  readonly inodeBitmap?: Buffer;
  readonly freeBlocks: number;
  readonly freeInodes: number;
  readonly descriptor: Buffer;
}

/** A group's bitmaps and descriptor (kernel documentation, ext4, "Block Group Descriptors"). */
export function groupState(o: Usage, group: number): GroupState {
  const { geometry, seed } = o;
  const place = geometry.groups[group];
  if (!place) throw new RangeError(`no group ${group}`);
  const blocks = blockUsage(o, group);
  const usedInodes = Math.max(
    0,
    Math.min(geometry.inodesPerGroup, o.lastInode - group * geometry.inodesPerGroup),
  );
  const freeInodes = geometry.inodesPerGroup - usedInodes;
  const inodeBitmap = usedInodes === 0 ? undefined : bits(usedInodes, geometry.inodesPerGroup);
  const directories = o.directories[group] ?? 0;

  const d = Buffer.alloc(DESCRIPTOR_SIZE);
  const split = (value: number, low: number, high: number): void => {
    d.writeUInt32LE(value % 2 ** 32, low);
    d.writeUInt32LE(Math.floor(value / 2 ** 32), high);
  };
  const halves = (value: number, low: number, high: number): void => {
    d.writeUInt16LE(value & 0xffff, low);
    d.writeUInt16LE(value >>> 16, high);
  };
  split(place.blockBitmap, 0x00, 0x20);
  split(place.inodeBitmap, 0x04, 0x24);
  split(place.inodeTable, 0x08, 0x28);
  halves(blocks.free, 0x0c, 0x2c);
  halves(freeInodes, 0x0e, 0x2e);
  halves(directories, 0x10, 0x30);
  d.writeUInt16LE(
    TABLE_ZEROED | (inodeBitmap ? 0 : INODES_UNUSED) | (blocks.bitmap ? 0 : BLOCKS_UNUSED),
    0x12,
  );
  if (blocks.bitmap) halves(continueCrc32c(seed, blocks.bitmap), 0x18, 0x38);
  if (inodeBitmap)
    halves(continueCrc32c(seed, inodeBitmap.subarray(0, geometry.inodesPerGroup / 8)), 0x1a, 0x3a);
  halves(freeInodes, 0x1c, 0x32);
  const number = Buffer.alloc(4);
  number.writeUInt32LE(group);
  d.writeUInt16LE(continueCrc32c(continueCrc32c(seed, number), d) & 0xffff, 0x1e);
  return {
    ...(blocks.bitmap && { blockBitmap: blocks.bitmap }),
    ...(inodeBitmap && { inodeBitmap }),
    freeBlocks: blocks.free,
    freeInodes,
    descriptor: d,
  };
}

function blockUsage({ geometry, nextBlock }: Usage, group: number): { bitmap?: Buffer; free: number } {
  const start = group * BLOCKS_PER_GROUP;
  const count = Math.min(BLOCKS_PER_GROUP, geometry.blocks - start);
  const filled = Math.max(0, Math.min(count, nextBlock - start));
  const bitmap = bits(filled, count);
  let free = count - filled;
  for (const range of geometry.reserved) {
    const from = Math.max(range.start - start, filled);
    const to = Math.min(range.end - start, count);
    if (to <= from) continue;
    free -= to - from;
    setBits(bitmap, from, to);
  }
  // A descriptor implies its group's own superblock, and no tables of others; nor the padding of the last group.
  const implied = free === count - superblockArea(group, geometry) && group < geometry.groups.length - 1;
  return { ...(!implied && { bitmap }), free };
}

/** A block of bitmap with the first `used` bits set, and those from `count` on, which stand for nothing. */
function bits(used: number, count: number): Buffer {
  const bitmap = Buffer.alloc(BLOCK);
  setBits(bitmap, 0, used);
  setBits(bitmap, count, BLOCK * 8);
  return bitmap;
}

function setBits(bitmap: Buffer, from: number, to: number): void {
  const firstWhole = Math.ceil(from / 8);
  const endWhole = Math.floor(to / 8);
  if (firstWhole < endWhole) bitmap.fill(0xff, firstWhole, endWhole);
  const mark = (bit: number): void => {
    bitmap[bit >> 3] = (bitmap[bit >> 3] as number) | (1 << (bit & 7));
  };
  for (let bit = from; bit < Math.min(to, firstWhole * 8); bit++) mark(bit);
  for (let bit = Math.max(from, endWhole * 8); bit < to; bit++) mark(bit);
}
