import { continueCrc32c } from '../formats/crc32c.ts';
import { INODE_SIZE } from './geometry.ts';

/** Fields of an inode beyond the 128 bytes of old. */
export const EXTRA_SIZE = 32;
/** Offsets of what others fill in: 60 bytes of extents, a link's target or a device; attributes behind the fields. */
const MAP = 0x28;
const MAP_SIZE = 60;
const XATTRS = 128 + EXTRA_SIZE;

export interface InodeFields {
  /** Type and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly links: number;
  /** Blocks of 4 KiB that it takes, those of its tree and attributes included. */
  readonly blocks: number;
  readonly extents: boolean;
  /** Block of its attributes, or 0. */
  readonly xattrBlock: number;
  /** Nanoseconds since 1970: of modification, and all other times. */
  readonly mtime: bigint;
  readonly epoch: bigint;
}

const EXTENTS_FLAG = 0x80000;
const SECTORS_PER_BLOCK = 8;
/** More subdirectories than can be counted are written as 1 (feature dir_nlink). */
const MOST_LINKS = 65000;

/** The seed of the checksums of what belongs to an inode: its number, and its generation, which is 0. */
export function inodeSeed(number: number, seed: number): number {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(number, 0);
  return continueCrc32c(seed, bytes);
}

/** Part of an inode for its extents, target or device. */
export function mapOf(inode: Buffer): Buffer {
  return inode.subarray(MAP, MAP + MAP_SIZE);
}

/** Part of an inode for its attributes. */
export function xattrsOf(inode: Buffer): Buffer {
  return inode.subarray(XATTRS, INODE_SIZE);
}

/** Writes an inode's fields (kernel documentation, ext4, "Index Nodes") and, as the last step, its checksum. */
export function writeFields(inode: Buffer, o: InodeFields, seed: number): void {
  const sectors = o.blocks * SECTORS_PER_BLOCK;
  inode.writeUInt16LE(o.mode, 0x00);
  inode.writeUInt16LE(o.uid & 0xffff, 0x02);
  inode.writeUInt32LE(o.size % 2 ** 32, 0x04);
  inode.writeUInt16LE(o.gid & 0xffff, 0x18);
  inode.writeUInt16LE(o.links > MOST_LINKS ? 1 : o.links, 0x1a);
  inode.writeUInt32LE(sectors % 2 ** 32, 0x1c);
  inode.writeUInt32LE(o.extents ? EXTENTS_FLAG : 0, 0x20);
  inode.writeUInt32LE(o.xattrBlock % 2 ** 32, 0x68);
  inode.writeUInt32LE(Math.floor(o.size / 2 ** 32), 0x6c);
  inode.writeUInt16LE(Math.floor(sectors / 2 ** 32), 0x74);
  inode.writeUInt16LE(Math.floor(o.xattrBlock / 2 ** 32), 0x76);
  inode.writeUInt16LE(o.uid >>> 16, 0x78);
  inode.writeUInt16LE(o.gid >>> 16, 0x7a);
  inode.writeUInt16LE(EXTRA_SIZE, 0x80);
  writeTime(inode, o.epoch, 0x08, 0x8c);
  writeTime(inode, o.epoch, 0x0c, 0x84);
  writeTime(inode, o.mtime, 0x10, 0x88);
  writeTime(inode, o.epoch, 0x90, 0x94);
  const sum = continueCrc32c(seed, inode);
  inode.writeUInt16LE(sum & 0xffff, 0x7c);
  inode.writeUInt16LE(sum >>> 16, 0x82);
}

const NANOSECONDS = 1_000_000_000n;

/** Seconds as 32 signed bits; two more bits and the nanoseconds in the extra field. From 1901 to 2446. */
function writeTime(inode: Buffer, time: bigint, seconds: number, extra: number): void {
  const nanoseconds = ((time % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
  const whole = (time - nanoseconds) / NANOSECONDS;
  const low = BigInt.asIntN(32, whole);
  inode.writeInt32LE(Number(low), seconds);
  inode.writeUInt32LE(Number((((whole - low) >> 32n) & 3n) | (nanoseconds << 2n)), extra);
}
