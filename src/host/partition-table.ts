import { ascii, hex, view } from './disk-bytes.ts';

/** Reads `length` bytes of a disk at `offset`; fewer at its end. */
export type ReadDisk = (offset: number, length: number) => Uint8Array;

/** A stretch of a disk that its partition table names; offset and size in bytes. */
export interface Partition {
  readonly offset: number;
  readonly size: number;
  /** A GPT type as the disk has it (32 hex digits, the first three fields little-endian), or an MBR type (two). */
  readonly type: string;
}

const SECTOR = 512;
const GPT_PROTECTIVE = 0xee;
/** MBR types of a partition that holds further ones. */
export const EXTENDED: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);
/** More partitions than anybody has. */
const MOST = 256;

/**
 * The partitions of a disk, in the order of its table (UEFI specification 2.10, section 5: MBR 5.2.1, GPT 5.3). Those that
 * lead beyond the disk are left out. Undefined where it has no table.
 */
export function partitionsOf(read: ReadDisk, diskSize: number): Partition[] | undefined {
  const mbr = view(read(0, SECTOR));
  if (mbr.byteLength < SECTOR || mbr.getUint16(510, true) !== 0xaa55) return undefined;
  const entries = [0, 1, 2, 3].map((i) => entryAt(mbr, i));
  if (entries.some((e) => e.type === GPT_PROTECTIVE)) return gpt(read, diskSize);
  const used = entries.filter((e) => e.type !== 0 && e.count > 0);
  // A boot sector without a table: a filesystem may have one of its own.
  if (used.length === 0) return undefined;
  const logical = used.filter((e) => EXTENDED.has(e.type)).flatMap((e) => logicalPartitions(read, e.start));
  const primary = used.filter((e) => !EXTENDED.has(e.type));
  return [...primary, ...logical]
    .map(({ type, start, count }) => ({
      offset: start * SECTOR,
      size: count * SECTOR,
      type: type.toString(16).padStart(2, '0'),
    }))
    .filter((s) => fits(s, diskSize));
}

interface MbrEntry {
  readonly type: number;
  /** In sectors. */
  readonly start: number;
  readonly count: number;
}

function entryAt(sector: DataView, index: number): MbrEntry {
  const at = 446 + 16 * index;
  return {
    type: sector.getUint8(at + 4),
    start: sector.getUint32(at + 8, true),
    count: sector.getUint32(at + 12, true),
  };
}

/** The chain of extended boot records: the first entry is the partition, the second leads on. */
function logicalPartitions(read: ReadDisk, base: number): MbrEntry[] {
  const found: MbrEntry[] = [];
  const visited = new Set<number>();
  for (let at = base; !visited.has(at) && visited.size < MOST; ) {
    visited.add(at);
    const record = view(read(at * SECTOR, SECTOR));
    if (record.byteLength < SECTOR || record.getUint16(510, true) !== 0xaa55) break;
    const entry = entryAt(record, 0);
    if (entry.count > 0) found.push({ ...entry, start: at + entry.start });
    const next = entryAt(record, 1).start;
    if (next === 0) break;
    at = base + next;
  }
  return found;
}

function gpt(read: ReadDisk, diskSize: number): Partition[] {
  const header = view(read(SECTOR, SECTOR));
  if (header.byteLength < SECTOR || ascii(header, 0, 8) !== 'EFI PART') return [];
  const table = Number(header.getBigUint64(72, true)) * SECTOR;
  const count = Math.min(header.getUint32(80, true), MOST);
  const size = header.getUint32(84, true);
  if (size < 128 || size > 4096 || table + count * size > diskSize) return [];
  const entries = view(read(table, count * size));
  const found: Partition[] = [];
  for (let at = 0; at + 128 <= entries.byteLength; at += size) {
    const type = hex(entries, at, 16);
    if (/^0+$/.test(type)) continue;
    const first = Number(entries.getBigUint64(at + 32, true));
    const last = Number(entries.getBigUint64(at + 40, true));
    found.push({ offset: first * SECTOR, size: (last - first + 1) * SECTOR, type });
  }
  return found.filter((s) => fits(s, diskSize));
}

function fits({ offset, size }: Partition, diskSize: number): boolean {
  return Number.isSafeInteger(offset) && size > 0 && offset + size <= diskSize;
}
