import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { IngotError } from '../core/error.ts';
import { continueCrc32c } from './formats/crc32c.ts';

/** Offsets in the superblock (kernel.org, ext4 on-disk layout, "Super Block"). */
const SUPERBLOCK = 1024;

/**
 * Sets access, change and creation time of every inode of an ext4 filesystem to `epoch`: mke2fs 1.47.0 takes them
 * from the folder that it copies, and they tell when that was written. Times of modification stay. Inode
 * checksums (metadata_csum, seeded with the UUID) are made anew.
 */
export function settleInodeTimes(path: string, offset: number, epoch: number): void {
  const file = openSync(path, 'r+');
  try {
    const sb = read(file, offset + SUPERBLOCK, 1024);
    if (sb.readUInt16LE(0x38) !== 0xef53)
      throw new IngotError('disk/not-ext4', `${path} has no ext4 filesystem at byte ${offset}`);
    const blockSize = 1024 << sb.readUInt32LE(0x18);
    const inodesPerGroup = sb.readUInt32LE(0x28);
    const inodeSize = sb.readUInt16LE(0x58);
    const descriptorSize = (sb.readUInt32LE(0x60) & 0x80) !== 0 ? sb.readUInt16LE(0xfe) : 32;
    const inodes = sb.readUInt32LE(0);
    const groups = Math.ceil(inodes / inodesPerGroup);
    const checksummed = (sb.readUInt32LE(0x64) & 0x400) !== 0;
    const seed = continueCrc32c(0xffffffff, sb.subarray(0x68, 0x78));
    const descriptors = read(
      file,
      offset + (blockSize === 1024 ? 2 * blockSize : blockSize),
      groups * descriptorSize,
    );
    for (let group = 0; group < groups; group++) {
      const d = descriptors.subarray(group * descriptorSize, (group + 1) * descriptorSize);
      const high = descriptorSize >= 64 ? d.readUInt32LE(0x28) : 0;
      const table = offset + (high * 2 ** 32 + d.readUInt32LE(0x08)) * blockSize;
      const unused = d.readUInt16LE(0x1c);
      const used = inodesPerGroup - unused;
      if (used <= 0) continue;
      const inodesOfGroup = read(file, table, used * inodeSize);
      for (let i = 0; i < used; i++) {
        const inode = inodesOfGroup.subarray(i * inodeSize, (i + 1) * inodeSize);
        if (inode.readUInt16LE(0) === 0) continue;
        settle(inode, epoch);
        if (checksummed) writeChecksum(inode, group * inodesPerGroup + i + 1, seed);
      }
      writeSync(file, inodesOfGroup, 0, inodesOfGroup.length, table);
    }
  } finally {
    closeSync(file);
  }
}

function settle(inode: Buffer, epoch: number): void {
  const low = epoch >>> 0;
  // Bits 0 and 1 of the extra field carry seconds beyond 2038; nanoseconds are nought.
  const extra = Math.floor(epoch / 2 ** 32) & 3;
  inode.writeUInt32LE(low, 0x08);
  inode.writeUInt32LE(low, 0x0c);
  if (inode.length <= 128) return;
  inode.writeUInt32LE(extra, 0x84);
  inode.writeUInt32LE(extra, 0x8c);
  inode.writeUInt32LE(low, 0x90);
  inode.writeUInt32LE(extra, 0x94);
}

/** crc32c over the number, the generation, and the inode with an empty checksum ("Inode Table", i_checksum). */
function writeChecksum(inode: Buffer, number: number, seed: number): void {
  inode.writeUInt16LE(0, 0x7c);
  const wide = inode.length > 128 && inode.readUInt16LE(0x80) >= 4;
  if (wide) inode.writeUInt16LE(0, 0x82);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(number, 0);
  head.writeUInt32LE(inode.readUInt32LE(0x64), 4);
  const sum = continueCrc32c(continueCrc32c(seed, head), inode);
  inode.writeUInt16LE(sum & 0xffff, 0x7c);
  if (wide) inode.writeUInt16LE(sum >>> 16, 0x82);
}

function read(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const count = readSync(file, buffer, at, length - at, position + at);
    if (count === 0) throw new IngotError('disk/not-ext4', 'the filesystem ends before its inode table');
    at += count;
  }
  return buffer;
}
