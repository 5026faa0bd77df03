import { IngotError } from '../core/error.ts';

/** Reads `length` bytes of a disk at `offset`; fewer at its end. */
export type ReadDisk = (offset: number, length: number) => Uint8Array;

/** A stretch of a disk with a filesystem that can be mounted. */
export interface DiskRoot {
  readonly filesystem: 'ext4' | 'xfs';
  /** Bytes. */
  readonly offset: number;
  readonly size: number;
}

interface Stretch {
  readonly offset: number;
  readonly size: number;
  /** Said to be the root by its type. */
  readonly isRoot: boolean;
}

const SECTOR = 512;
/** Root (x86-64) of the Discoverable Partitions Specification, as GPT stores it (first three fields little-endian). */
const ROOT_TYPE = 'e3bc684fcde8b14d96e7fbcaf984b709';
const GPT_PROTECTIVE = 0xee;
const EXTENDED = new Set([0x05, 0x0f, 0x85]);
/** More partitions than anybody has. */
const MOST = 256;

/**
 * Finds the root filesystem of a disk: the partition whose type says so, else the largest that Linux can have its root on;
 * or the whole disk, where it has no partitions. Tables: UEFI specification 2.10, section 5 (MBR 5.2.1, GPT 5.3).
 * Throws `disk/no-root` and names what is there instead.
 */
export function findRoot(read: ReadDisk, diskSize: number): DiskRoot {
  const stretches = partitions(read, diskSize);
  const seen = new Set<string>();
  const candidates: (DiskRoot & { readonly isRoot: boolean })[] = [];
  for (const { offset, size, isRoot } of stretches) {
    const found = contentOf(read, offset);
    if (found === 'ext4' || found === 'xfs') candidates.push({ filesystem: found, offset, size, isRoot });
    else seen.add(found);
  }
  candidates.sort((a, b) => Number(b.isRoot) - Number(a.isRoot) || b.size - a.size || a.offset - b.offset);
  const [best] = candidates;
  if (best) return { filesystem: best.filesystem, offset: best.offset, size: best.size };
  const names = [...seen].filter((name) => name !== 'nothing known').sort();
  throw new IngotError(
    'disk/no-root',
    `the disk has no ext4 or xfs filesystem for a root; found ${names.join(', ') || 'nothing known'}`,
    {
      hint: 'Images with LVM, LUKS, btrfs or Windows cannot be mounted here; build them with engine "vm" and seal = "off".',
    },
  );
}

function partitions(read: ReadDisk, diskSize: number): Stretch[] {
  const whole = [{ offset: 0, size: diskSize, isRoot: false }];
  const mbr = view(read(0, SECTOR));
  if (mbr.byteLength < SECTOR || mbr.getUint16(510, true) !== 0xaa55) return whole;
  const entries = [0, 1, 2, 3].map((i) => ({
    type: mbr.getUint8(446 + 16 * i + 4),
    start: mbr.getUint32(446 + 16 * i + 8, true),
    count: mbr.getUint32(446 + 16 * i + 12, true),
  }));
  if (entries.some((e) => e.type === GPT_PROTECTIVE)) return gpt(read, diskSize);
  const used = entries.filter((e) => e.type !== 0 && e.count > 0);
  // A boot sector without a table: a filesystem may have one of its own.
  if (used.length === 0) return whole;
  const logical = used.filter((e) => EXTENDED.has(e.type)).flatMap((e) => logicalPartitions(read, e.start));
  const primary = used.filter((e) => !EXTENDED.has(e.type));
  return [...primary, ...logical]
    .map(({ start, count }) => ({ offset: start * SECTOR, size: count * SECTOR, isRoot: false }))
    .filter((s) => fits(s, diskSize));
}

/** The chain of extended boot records: the first entry is the partition, the second leads on. */
function logicalPartitions(read: ReadDisk, base: number): { start: number; count: number }[] {
  const found: { start: number; count: number }[] = [];
  const visited = new Set<number>();
  for (let at = base; !visited.has(at) && visited.size < MOST; ) {
    visited.add(at);
    const record = view(read(at * SECTOR, SECTOR));
    if (record.byteLength < SECTOR || record.getUint16(510, true) !== 0xaa55) break;
    const count = record.getUint32(446 + 12, true);
    if (count > 0) found.push({ start: at + record.getUint32(446 + 8, true), count });
    const next = record.getUint32(462 + 8, true);
    if (next === 0) break;
    at = base + next;
  }
  return found;
}

function gpt(read: ReadDisk, diskSize: number): Stretch[] {
  const header = view(read(SECTOR, SECTOR));
  if (header.byteLength < SECTOR || ascii(header, 0, 8) !== 'EFI PART') return [];
  const table = Number(header.getBigUint64(72, true)) * SECTOR;
  const count = Math.min(header.getUint32(80, true), MOST);
  const size = header.getUint32(84, true);
  if (size < 128 || size > 4096 || table + count * size > diskSize) return [];
  const entries = view(read(table, count * size));
  const found: Stretch[] = [];
  for (let at = 0; at + 128 <= entries.byteLength; at += size) {
    const type = hex(entries, at, 16);
    if (/^0+$/.test(type)) continue;
    const first = Number(entries.getBigUint64(at + 32, true));
    const last = Number(entries.getBigUint64(at + 40, true));
    found.push({ offset: first * SECTOR, size: (last - first + 1) * SECTOR, isRoot: type === ROOT_TYPE });
  }
  return found.filter((s) => fits(s, diskSize));
}

function fits({ offset, size }: Stretch, diskSize: number): boolean {
  return Number.isSafeInteger(offset) && size > 0 && offset + size <= diskSize;
}

/** What a stretch holds, by the marks that blkid(8) goes by. */
function contentOf(read: ReadDisk, offset: number): string {
  const start = view(read(offset, 4096));
  if (start.byteLength < 4096) return 'nothing known';
  // ext2 and ext3 have the same mark, and the same driver mounts them.
  if (start.getUint16(1024 + 56, true) === 0xef53) return 'ext4';
  if (ascii(start, 0, 4) === 'XFSB') return 'xfs';
  if (ascii(start, 0, 4) === 'LUKS') return 'LUKS';
  if (ascii(start, 512, 8) === 'LABELONE') return 'LVM';
  if (ascii(start, 3, 8) === 'NTFS    ') return 'NTFS';
  if (ascii(start, 82, 5) === 'FAT32' || ascii(start, 54, 3) === 'FAT') return 'FAT';
  const btrfs = view(read(offset + 0x10000, 4096));
  if (btrfs.byteLength === 4096 && ascii(btrfs, 0x40, 8) === '_BHRfS_M') return 'btrfs';
  return 'nothing known';
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function ascii(data: DataView, at: number, length: number): string {
  return Array.from({ length }, (_, i) => String.fromCharCode(data.getUint8(at + i))).join('');
}

function hex(data: DataView, at: number, length: number): string {
  return Array.from({ length }, (_, i) =>
    data
      .getUint8(at + i)
      .toString(16)
      .padStart(2, '0'),
  ).join('');
}
