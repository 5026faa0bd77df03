import { ascii, view } from './disk-bytes.ts';
import type { ReadDisk } from './partition-table.ts';

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
  if (ascii(start, 3, 8) === 'NTFS    ') return 'NTFS';
  if (ascii(start, 82, 5) === 'FAT32' || ascii(start, 54, 3) === 'FAT') return 'FAT';
  const btrfs = view(read(offset + 0x10000, 4096));
  if (btrfs.byteLength === 4096 && ascii(btrfs, 0x40, 8) === '_BHRfS_M') return 'btrfs';
  return 'nothing known';
}
