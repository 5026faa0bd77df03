import { createHmac } from 'node:crypto';
import { type Digest, hexOf } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import type { DiskOptions } from './spec.ts';

export const SECTOR = 512;
export const MIB = 1024 * 1024;

/** GUIDs of partition types (UEFI 2.10, table 5-7; uapi-group.org, Discoverable Partitions Specification). */
export const PARTITION_TYPES = {
  'bios-boot': '21686148-6449-6E6F-744E-656564454649',
  esp: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  root: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
  linux: '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
  swap: '0657FD6D-A4AB-43C4-84E5-0933C84B4F4F',
} as const;
export type PartitionType = keyof typeof PARTITION_TYPES;

export interface Partition {
  readonly name: string;
  readonly type: PartitionType;
  /** Unique GUID. */
  readonly guid: string;
  /** Bytes from the start of the disk, a multiple of 1 MiB. */
  readonly offset: number;
  readonly size: number;
}

export interface DiskLayout {
  readonly size: number;
  readonly diskGuid: string;
  readonly partitions: readonly Partition[];
}

const BIOS_BOOT_SIZE = MIB;
const ESP_SIZE = 64 * MIB;
/** Room for the GPT at both ends. */
const EDGE = MIB;

/**
 * A UUID that follows from the seed: equal plans give equal disks. Marked as version 4, since many tools refuse
 * others (RFC 9562, 5.8 would be the honest mark).
 */
export function derivedUuid(seed: Digest, purpose: string): string {
  const bytes = createHmac('sha256', hexOf(seed)).update(purpose).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Identities that boot-config and disk must agree on. */
export function identities(seed: Digest): {
  readonly rootUuid: string;
  readonly espId: string;
  readonly hashSeed: string;
} {
  return {
    rootUuid: derivedUuid(seed, 'root'),
    espId: derivedUuid(seed, 'esp').slice(0, 8).toUpperCase(),
    hashSeed: derivedUuid(seed, 'hash-seed'),
  };
}

/**
 * Places the partitions: BIOS boot, ESP, extra partitions, and root last, so that it can grow. `contentBytes` is what
 * root will hold; its default size leaves a third of that free, and 256 MiB at least.
 */
export function planLayout(options: DiskOptions, contentBytes: number, seed: Digest): DiskLayout {
  const partitions: Partition[] = [];
  let offset = EDGE;
  const add = (name: string, type: PartitionType, size: number): void => {
    partitions.push({ name, type, guid: derivedUuid(seed, `partition ${name}`), offset, size });
    offset += roundUp(size, MIB);
  };
  if (options.firmware.includes('bios')) add('bios', 'bios-boot', BIOS_BOOT_SIZE);
  if (options.firmware.includes('uefi')) add('esp', 'esp', ESP_SIZE);
  for (const extra of options.partition)
    add(extra.name, extra.type as PartitionType, roundUp(extra.size, MIB));
  const needed = roundUp(contentBytes + Math.max(contentBytes / 3, 256 * MIB), 64 * MIB);
  const size =
    options.size === undefined ? roundUp(offset + needed + EDGE, 64 * MIB) : roundUp(options.size, MIB);
  const rootSize = size - offset - EDGE;
  if (rootSize < contentBytes * 1.05 + 32 * MIB) {
    throw new IngotError(
      'disk/too-small',
      `the disk has ${Math.floor(size / MIB)} MiB, and the image needs about ${Math.ceil((offset + contentBytes * 1.05) / MIB) + 33} MiB`,
      { hint: 'Raise `size` in the disk block, or leave it out: then it follows from the content.' },
    );
  }
  add('root', 'root', rootSize);
  return { size, diskGuid: derivedUuid(seed, 'disk'), partitions };
}

export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
