import { IngotError } from '../../core/error.ts';

/** Bytes of a block, and what follows from it: a group is what one block of bitmap covers. */
export const BLOCK = 4096;
export const BLOCKS_PER_GROUP = BLOCK * 8;
export const INODE_SIZE = 256;
export const DESCRIPTOR_SIZE = 64;
/** Groups whose bitmaps and inode tables lie together (feature flex_bg), as a power of two. */
export const FLEX_SHIFT = 4;
/** First inode that is nobody's in advance. */
export const FIRST_INODE = 11;

/** mke2fs's usual number: an inode for each 16 KiB. */
const INODES_PER_GROUP = BLOCKS_PER_GROUP / 4;
const INODES_PER_BLOCK = BLOCK / INODE_SIZE;
const DESCRIPTORS_PER_BLOCK = BLOCK / DESCRIPTOR_SIZE;
/** A last group with less room for content than this is left out, as mke2fs does. */
const LEAST_OF_GROUP = 50;
/** How far the filesystem may grow while it is mounted without changing its layout (mke2fs's number). */
const GROWTH = 1024;
const POINTERS_PER_BLOCK = BLOCK / 4;

/** A run of blocks, `end` exclusive. */
export interface BlockRange {
  readonly start: number;
  readonly end: number;
}

export interface Group {
  readonly blockBitmap: number;
  readonly inodeBitmap: number;
  readonly inodeTable: number;
}

/** Where everything but content lies. */
export interface Geometry {
  readonly blocks: number;
  readonly groups: readonly Group[];
  readonly inodesPerGroup: number;
  /** Blocks of one group's inode table. */
  readonly inodeTableBlocks: number;
  /** Blocks of one copy of the group descriptors. */
  readonly descriptorBlocks: number;
  /** Blocks behind them for the descriptors of groups to come (feature resize_inode). */
  readonly reservedBlocks: number;
  /** Everything that content must not touch: ascending, without overlaps. */
  readonly reserved: readonly BlockRange[];
}

/** Whether a group has a copy of the superblock: 0, 1, and the powers of 3, 5 and 7 (feature sparse_super). */
export function hasSuperblock(group: number): boolean {
  if (group <= 1) return true;
  return [3, 5, 7].some((base) => {
    let power = base;
    while (power < group) power *= base;
    return power === group;
  });
}

/**
 * Plans a filesystem of at most `size` bytes with room for `inodes` files. Layout as mke2fs makes it (kernel
 * documentation, ext4, "High Level Design"): blocks of 4 KiB, flexible groups of 16.
 */
export function planGeometry(size: number, inodes: number): Geometry {
  const most = Math.floor(size / BLOCK);
  if (most >= 2 ** 32) {
    throw new IngotError(
      'disk/too-large',
      `a root of ${size} bytes was asked for; the most is 16 TiB less 4 KiB`,
      {
        hint: 'Lower `size` in the disk block; the filesystem can grow later.',
      },
    );
  }
  let blocks = most;
  let plan = tables(blocks, inodes);
  const rest = blocks % BLOCKS_PER_GROUP;
  const overhead = 2 + plan.inodeTableBlocks + superblockArea(plan.count - 1, plan);
  if (plan.count > 1 && rest > 0 && rest < overhead + LEAST_OF_GROUP) {
    blocks -= rest;
    plan = tables(blocks, inodes);
  }
  const { groups, reserved } = place(plan);
  const last = reserved.at(-1)?.end ?? 0;
  if (last > blocks || plan.inodesPerGroup > BLOCKS_PER_GROUP) {
    throw new IngotError('disk/too-small', `${inodes} files do not fit into a filesystem of ${size} bytes`, {
      hint: 'Raise `size` in the disk block, or leave it out: then it follows from the content.',
    });
  }
  const { inodesPerGroup, inodeTableBlocks, descriptorBlocks, reservedBlocks } = plan;
  return { blocks, groups, inodesPerGroup, inodeTableBlocks, descriptorBlocks, reservedBlocks, reserved };
}

interface Tables {
  readonly count: number;
  readonly inodesPerGroup: number;
  readonly inodeTableBlocks: number;
  readonly descriptorBlocks: number;
  readonly reservedBlocks: number;
}

function tables(blocks: number, inodes: number): Tables {
  const count = Math.max(1, Math.ceil(blocks / BLOCKS_PER_GROUP));
  // A tree of many small files gets more inodes, and a quarter to spare.
  const wanted = Math.ceil(((inodes + FIRST_INODE) * 1.25) / count);
  const inodesPerGroup = Math.max(INODES_PER_GROUP, Math.ceil(wanted / INODES_PER_BLOCK) * INODES_PER_BLOCK);
  const descriptorBlocks = Math.ceil(count / DESCRIPTORS_PER_BLOCK);
  const grown = Math.min(blocks * GROWTH, 2 ** 32 - 1);
  const grownDescriptors = Math.ceil(Math.ceil(grown / BLOCKS_PER_GROUP) / DESCRIPTORS_PER_BLOCK);
  const reservedBlocks = Math.min(Math.max(grownDescriptors - descriptorBlocks, 0), POINTERS_PER_BLOCK);
  const inodeTableBlocks = inodesPerGroup / INODES_PER_BLOCK;
  return { count, inodesPerGroup, inodeTableBlocks, descriptorBlocks, reservedBlocks };
}

/** Blocks at a group's start for the superblock, the descriptors, and the room for more of them. */
export function superblockArea(
  group: number,
  o: Pick<Geometry, 'descriptorBlocks' | 'reservedBlocks'>,
): number {
  return hasSuperblock(group) ? 1 + o.descriptorBlocks + o.reservedBlocks : 0;
}

function place(plan: Tables): { groups: Group[]; reserved: BlockRange[] } {
  const areas: BlockRange[] = [];
  for (let group = 0; group < plan.count; group++) {
    const start = group * BLOCKS_PER_GROUP;
    const length = superblockArea(group, plan);
    if (length > 0) areas.push({ start, end: start + length });
  }
  const placed: BlockRange[] = [];
  let cursor = 0;
  const put = (length: number): number => {
    for (let area = areas.find(hit); area; area = areas.find(hit)) cursor = area.end;
    function hit(a: BlockRange): boolean {
      return a.start < cursor + length && cursor < a.end;
    }
    const start = cursor;
    cursor += length;
    placed.push({ start, end: cursor });
    return start;
  };
  const groups: Group[] = [];
  for (let first = 0; first < plan.count; first += 1 << FLEX_SHIFT) {
    cursor = Math.max(cursor, first * BLOCKS_PER_GROUP);
    const members = Math.min(1 << FLEX_SHIFT, plan.count - first);
    const each = (length: number): number[] => Array.from({ length: members }, () => put(length));
    const [blockBitmaps, inodeBitmaps, inodeTables] = [each(1), each(1), each(plan.inodeTableBlocks)];
    for (let i = 0; i < members; i++) {
      groups.push({
        blockBitmap: blockBitmaps[i] as number,
        inodeBitmap: inodeBitmaps[i] as number,
        inodeTable: inodeTables[i] as number,
      });
    }
  }
  return { groups, reserved: merge([...areas, ...placed]) };
}

function merge(ranges: readonly BlockRange[]): BlockRange[] {
  const merged: BlockRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    const before = merged.at(-1);
    if (before && before.end === range.start)
      merged[merged.length - 1] = { start: before.start, end: range.end };
    else merged.push(range);
  }
  return merged;
}
