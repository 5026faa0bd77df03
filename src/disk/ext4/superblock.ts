import { continueCrc32c } from '../formats/crc32c.ts';
import {
  BLOCK,
  BLOCKS_PER_GROUP,
  DESCRIPTOR_SIZE,
  FIRST_INODE,
  FLEX_SHIFT,
  type Geometry,
  INODE_SIZE,
} from './geometry.ts';
import { EXTRA_SIZE } from './inode.ts';

/** has_journal, ext_attr, resize_inode, dir_index. */
const COMPATIBLE = 0x4 | 0x8 | 0x10 | 0x20;
/** filetype, extents, 64bit, flex_bg. */
const INCOMPATIBLE = 0x2 | 0x40 | 0x80 | 0x200;
/** sparse_super, large_file, huge_file, dir_nlink, extra_isize, metadata_csum. GRUB 2.06 reads all of these. */
const READ_ONLY_COMPATIBLE = 0x1 | 0x2 | 0x8 | 0x20 | 0x40 | 0x400;

const CHECKSUM = 0x3fc;
/** Room of the superblock; the rest of its block belongs to nobody. */
const SIZE = 1024;

export interface SuperblockFields {
  readonly geometry: Geometry;
  /** 16 bytes each. */
  readonly uuid: Buffer;
  readonly hashSeed: Buffer;
  readonly label: string;
  /** Seconds since 1970. */
  readonly epoch: number;
  readonly freeBlocks: number;
  readonly freeInodes: number;
  readonly journalInode: number;
  /** The journal's extents, kept here too in case that its inode is lost, and its size. */
  readonly journalMap: Buffer;
  readonly journalSize: number;
}

/** The superblock for the copy in `group` (kernel documentation, ext4, "Super Block"). */
export function superblock(o: SuperblockFields, group: number): Buffer {
  const { geometry } = o;
  const sb = Buffer.alloc(SIZE);
  const split = (value: number, low: number, high: number): void => {
    sb.writeUInt32LE(value % 2 ** 32, low);
    sb.writeUInt32LE(Math.floor(value / 2 ** 32), high);
  };
  sb.writeUInt32LE(geometry.inodesPerGroup * geometry.groups.length, 0x00);
  split(geometry.blocks, 0x04, 0x150);
  // One block in twenty for root alone, as mke2fs has it.
  split(Math.floor(geometry.blocks / 20), 0x08, 0x154);
  split(o.freeBlocks, 0x0c, 0x158);
  sb.writeUInt32LE(o.freeInodes, 0x10);
  sb.writeUInt32LE(Math.log2(BLOCK) - 10, 0x18);
  sb.writeUInt32LE(Math.log2(BLOCK) - 10, 0x1c);
  sb.writeUInt32LE(BLOCKS_PER_GROUP, 0x20);
  sb.writeUInt32LE(BLOCKS_PER_GROUP, 0x24);
  sb.writeUInt32LE(geometry.inodesPerGroup, 0x28);
  sb.writeUInt32LE(o.epoch, 0x30);
  // Never checked by count of mounts or time.
  sb.writeInt16LE(-1, 0x36);
  sb.writeUInt16LE(0xef53, 0x38);
  // Clean; errors are passed on (fstab says what happens then); revision 1.
  sb.writeUInt16LE(1, 0x3a);
  sb.writeUInt16LE(1, 0x3c);
  sb.writeUInt32LE(o.epoch, 0x40);
  sb.writeUInt32LE(1, 0x4c);
  sb.writeUInt32LE(FIRST_INODE, 0x54);
  sb.writeUInt16LE(INODE_SIZE, 0x58);
  sb.writeUInt16LE(group, 0x5a);
  sb.writeUInt32LE(COMPATIBLE, 0x5c);
  sb.writeUInt32LE(INCOMPATIBLE, 0x60);
  sb.writeUInt32LE(READ_ONLY_COMPATIBLE, 0x64);
  o.uuid.copy(sb, 0x68);
  sb.write(o.label, 0x78, 16, 'utf8');
  sb.writeUInt16LE(geometry.reservedBlocks, 0xce);
  sb.writeUInt32LE(o.journalInode, 0xe0);
  o.hashSeed.copy(sb, 0xec);
  // Names hash by half MD4; the journal's backup is of the kind that we have.
  sb[0xfc] = 1;
  sb[0xfd] = 1;
  sb.writeUInt16LE(DESCRIPTOR_SIZE, 0xfe);
  // Mounted with user attributes and access lists.
  sb.writeUInt32LE(0x0c, 0x100);
  sb.writeUInt32LE(o.epoch, 0x108);
  o.journalMap.copy(sb, 0x10c);
  sb.writeUInt32LE(Math.floor(o.journalSize / 2 ** 32), 0x148);
  sb.writeUInt32LE(o.journalSize % 2 ** 32, 0x14c);
  sb.writeUInt16LE(EXTRA_SIZE, 0x15c);
  sb.writeUInt16LE(EXTRA_SIZE, 0x15e);
  // Hashes take bytes as signed, as on the architecture that we write for.
  sb.writeUInt32LE(1, 0x160);
  sb[0x174] = FLEX_SHIFT;
  // crc32c
  sb[0x175] = 1;
  sb.writeUInt32LE(continueCrc32c(0xffffffff, sb.subarray(0, CHECKSUM)), CHECKSUM);
  return sb;
}
