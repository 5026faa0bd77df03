import { ascii, view } from './disk-bytes.ts';
import type { ReadDisk } from './partition-table.ts';

const RAID = 0xa92b4efc;
const F2FS = 0xf2f52010;

/** What a stretch of a disk holds, by the marks that blkid(8) goes by; "nothing known" where it has none of them. */
export function contentOf(read: ReadDisk, offset: number): string {
  const start = view(read(offset, 4096));
  if (start.byteLength < 4096) return 'nothing known';
  // ext2 and ext3 have the same mark, and the same driver mounts them.
  if (start.getUint16(1024 + 56, true) === 0xef53) return 'ext4';
  if (ascii(start, 0, 4) === 'XFSB') return 'xfs';
  if (ascii(start, 0, 4) === 'LUKS') return 'LUKS';
  if (ascii(start, 0, 4) === 'hsqs') return 'squashfs';
  if (ascii(start, 512, 8) === 'LABELONE') return 'LVM';
  if (start.getUint32(1024, true) === F2FS) return 'f2fs';
  if (ascii(start, 4086, 10) === 'SWAPSPACE2') return 'swap';
  if (ascii(start, 3, 8) === 'NTFS    ') return 'NTFS';
  if (ascii(start, 82, 5) === 'FAT32' || ascii(start, 54, 3) === 'FAT') return 'FAT';
  // Version 1.1 at the start, 1.2 after 4 KiB (md(4)); older ones are at the end, with the filesystem as it is before them.
  const raid = [start, view(read(offset + 4096, 4096))];
  if (raid.some((data) => data.byteLength === 4096 && data.getUint32(0, true) === RAID)) return 'RAID';
  const btrfs = view(read(offset + 0x10000, 4096));
  if (btrfs.byteLength === 4096 && ascii(btrfs, 0x40, 8) === '_BHRfS_M') return 'btrfs';
  return 'nothing known';
}
