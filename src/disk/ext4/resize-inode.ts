import type { Content } from './content.ts';
import { BLOCK, BLOCKS_PER_GROUP, type Geometry, hasSuperblock } from './geometry.ts';

const POINTERS = BLOCK / 4;
/** Place of the doubly indirect block in an inode's old map of blocks. */
const DOUBLY_INDIRECT = 13;

export interface ReservedBlock {
  readonly block: number;
  readonly data: Buffer;
}

/**
 * The inode that owns the blocks behind the group descriptors, so that these can grow while mounted: its doubly
 * indirect block lists those of group 0, and each of them lists its copies in the other groups (e2fsprogs,
 * lib/ext2fs/res_gdt.c). Fills the inode's map; answers its blocks, size, and what to write where.
 */
export function writeResizeMap(
  map: Buffer,
  geometry: Geometry,
  content: Content,
): { readonly blocks: number; readonly size: number; readonly contents: readonly ReservedBlock[] } {
  const backups = geometry.groups
    .map((_, group) => group)
    .filter((group) => group > 0 && hasSuperblock(group));
  const list = content.block();
  map.writeUInt32LE(list.number, DOUBLY_INDIRECT * 4);
  const contents: ReservedBlock[] = [];
  for (let i = 0; i < geometry.reservedBlocks; i++) {
    const block = 1 + geometry.descriptorBlocks + i;
    list.data.writeUInt32LE(block, ((geometry.descriptorBlocks + i) % POINTERS) * 4);
    const data = Buffer.alloc(BLOCK);
    for (const [at, group] of backups.entries()) data.writeUInt32LE(block + group * BLOCKS_PER_GROUP, at * 4);
    contents.push({ block, data });
  }
  return {
    blocks: 1 + geometry.reservedBlocks * (1 + backups.length),
    // As if all blocks that such a map can hold were there.
    size: (12 + POINTERS + POINTERS * POINTERS) * BLOCK,
    contents,
  };
}
