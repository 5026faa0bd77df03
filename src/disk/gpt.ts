import { crc32 } from 'node:zlib';
import { type DiskLayout, PARTITION_TYPES, SECTOR } from './layout.ts';

/** Entries of the partition array; the least that UEFI demands room for (16 KiB). */
const ENTRIES = 128;
const ENTRY_SIZE = 128;
const HEADER_SIZE = 92;

/** A piece of the disk and where it goes, in bytes. */
export interface DiskPiece {
  readonly offset: number;
  readonly data: Uint8Array;
}

/**
 * Protective MBR (`bootCode`: its first 440 bytes), primary and backup GPT (UEFI 2.10, 5.2.3 and 5.3). GUIDs come
 * from the layout.
 */
export function partitionTable(layout: DiskLayout, bootCode: Uint8Array): DiskPiece[] {
  const sectors = layout.size / SECTOR;
  const entries = Buffer.alloc(ENTRIES * ENTRY_SIZE);
  for (const [i, p] of layout.partitions.entries()) {
    const entry = entries.subarray(i * ENTRY_SIZE, (i + 1) * ENTRY_SIZE);
    guidBytes(PARTITION_TYPES[p.type]).copy(entry, 0);
    guidBytes(p.guid).copy(entry, 16);
    entry.writeBigUInt64LE(BigInt(p.offset / SECTOR), 32);
    entry.writeBigUInt64LE(BigInt((p.offset + p.size) / SECTOR - 1), 40);
    entry.write(p.name.slice(0, 36), 56, 'utf16le');
  }
  const arraySectors = entries.length / SECTOR;
  const header = (current: number, other: number, array: number): Buffer => {
    const h = Buffer.alloc(SECTOR);
    h.write('EFI PART', 0, 'latin1');
    h.writeUInt32LE(0x00010000, 8);
    h.writeUInt32LE(HEADER_SIZE, 12);
    h.writeBigUInt64LE(BigInt(current), 24);
    h.writeBigUInt64LE(BigInt(other), 32);
    h.writeBigUInt64LE(BigInt(2 + arraySectors), 40);
    h.writeBigUInt64LE(BigInt(sectors - 2 - arraySectors), 48);
    guidBytes(layout.diskGuid).copy(h, 56);
    h.writeBigUInt64LE(BigInt(array), 72);
    h.writeUInt32LE(ENTRIES, 80);
    h.writeUInt32LE(ENTRY_SIZE, 84);
    h.writeUInt32LE(crc32(entries), 88);
    h.writeUInt32LE(crc32(h.subarray(0, HEADER_SIZE)), 16);
    return h;
  };
  const backupArray = sectors - 1 - arraySectors;
  return [
    { offset: 0, data: protectiveMbr(sectors, bootCode) },
    { offset: SECTOR, data: header(1, sectors - 1, 2) },
    { offset: 2 * SECTOR, data: entries },
    { offset: backupArray * SECTOR, data: entries },
    { offset: (sectors - 1) * SECTOR, data: header(sectors - 1, 1, backupArray) },
  ];
}

function protectiveMbr(sectors: number, bootCode: Uint8Array): Buffer {
  const mbr = Buffer.alloc(SECTOR);
  mbr.set(bootCode.subarray(0, 440), 0);
  // One entry of type 0xEE over the whole disk, as far as 32 bits reach.
  mbr.set([0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff], 446);
  mbr.writeUInt32LE(1, 454);
  mbr.writeUInt32LE(Math.min(sectors - 1, 0xffffffff), 458);
  mbr.writeUInt16LE(0xaa55, 510);
  return mbr;
}

/** A GUID's bytes on disk: the first three fields little-endian (UEFI 2.10, appendix A). */
export function guidBytes(guid: string): Buffer {
  const b = Buffer.from(guid.replaceAll('-', ''), 'hex');
  b.subarray(0, 4).reverse();
  b.subarray(4, 6).reverse();
  b.subarray(6, 8).reverse();
  return b;
}
