import type { Digest } from '../../core/digest.ts';
import { crc32c } from './crc32c.ts';
import { roundUp } from './file-writer.ts';
import { deriveUuid } from './identity.ts';

const KIB = 1024;
const MIB = 1 << 20;
const SECTOR = 512;

/** Bytes in a payload block. Small, since a block with one used sector takes all of its place. */
export const BLOCK_SIZE = MIB;

/** Payload blocks between two sector bitmap blocks: 2^23 sectors (section 2.5). */
const CHUNK_RATIO = (2 ** 23 * SECTOR) / BLOCK_SIZE;

// The file: identifier, headers and region tables in the first MiB (section 2.1), an empty log, metadata, BAT, payload.
const LOG = MIB;
const METADATA = 2 * MIB;
/** Where the BAT begins; everything that `headers` makes lies before it. */
export const HEADERS_SIZE = 3 * MIB;

const STATE_ZERO = 2;
const STATE_PRESENT = 6;

const REQUIRED = 4;
const OF_VIRTUAL_DISK = 2;

function batEntries(size: number): number {
  const blocks = Math.ceil(size / BLOCK_SIZE);
  return blocks + Math.floor(Math.max(0, blocks - 1) / CHUNK_RATIO);
}

function batLength(size: number): number {
  return roundUp(Math.max(1, batEntries(size) * 8), MIB);
}

/** Where payload begins in the file, for a disk of `size` bytes. */
export function payloadStart(size: number): number {
  return HEADERS_SIZE + batLength(size);
}

/** The block allocation table (section 2.5). `places`: offset in the file of each payload block with data. */
export function batTable(size: number, places: ReadonlyMap<number, number>): Buffer {
  const table = Buffer.alloc(batLength(size));
  const blocks = Math.ceil(size / BLOCK_SIZE);
  for (let block = 0; block < blocks; block++) {
    const place = places.get(block);
    // The offset counts MiB from bit 20, so bytes go in as they are. Sector bitmap entries between stay 0.
    const entry = place === undefined ? BigInt(STATE_ZERO) : BigInt(place) | BigInt(STATE_PRESENT);
    table.writeBigUInt64LE(entry, (block + Math.floor(block / CHUNK_RATIO)) * 8);
  }
  return table;
}

/** Everything before the BAT, by position, ascending. */
export function headers(size: number, seed: Digest): [position: number, bytes: Buffer][] {
  const regions = regionTable(size);
  return [
    [0, Buffer.from('vhdxfileI\0n\0g\0o\0t\0', 'latin1')],
    [64 * KIB, header(0n, seed)],
    [128 * KIB, header(1n, seed)],
    [192 * KIB, regions],
    [256 * KIB, regions],
    [METADATA, metadata(size, seed)],
  ];
}

/** Section 2.2.2; the one with the greater sequence number is current. */
function header(sequence: bigint, seed: Digest): Buffer {
  const bytes = Buffer.alloc(4 * KIB);
  bytes.write('head', 0, 'latin1');
  bytes.writeBigUInt64LE(sequence, 8);
  deriveUuid(seed, 'vhdx file write').copy(bytes, 16);
  deriveUuid(seed, 'vhdx data write').copy(bytes, 32);
  bytes.writeUInt16LE(1, 66); // version
  bytes.writeUInt32LE(MIB, 68); // log length
  bytes.writeBigUInt64LE(BigInt(LOG), 72);
  return sealed(bytes);
}

/** Section 2.2.3. */
function regionTable(size: number): Buffer {
  const bytes = Buffer.alloc(64 * KIB);
  bytes.write('regi', 0, 'latin1');
  bytes.writeUInt32LE(2, 8);
  const regions = [
    ['2DC27766-F623-4200-9D64-115E9BFD4A08', HEADERS_SIZE, batLength(size)],
    ['8B7CA206-4790-4B9A-B8FE-575F050F886E', METADATA, MIB],
  ] as const;
  regions.forEach(([id, offset, length], i) => {
    const at = 16 + i * 32;
    guid(id).copy(bytes, at);
    bytes.writeBigUInt64LE(BigInt(offset), at + 16);
    bytes.writeUInt32LE(length, at + 24);
    bytes.writeUInt32LE(1, at + 28); // required
  });
  return sealed(bytes);
}

/** Section 2.6: a table of items, the items behind its 64 KiB. */
function metadata(size: number, seed: Digest): Buffer {
  const parameters = Buffer.alloc(8);
  parameters.writeUInt32LE(BLOCK_SIZE, 0);
  const items: [id: string, flags: number, value: Buffer][] = [
    ['CAA16737-FA36-4D43-B3B6-33F0AA44E76B', REQUIRED, parameters],
    ['2FA54224-CD1B-4876-B211-5DBED83BF4B8', REQUIRED | OF_VIRTUAL_DISK, u64(size)],
    ['BECA12AB-B2E6-4523-93EF-C309E000C746', REQUIRED | OF_VIRTUAL_DISK, deriveUuid(seed, 'vhdx disk')],
    ['8141BF1D-A96F-4709-BA47-F233A8FAAB5F', REQUIRED | OF_VIRTUAL_DISK, u32(SECTOR)],
    ['CDA348C7-445D-4471-9CC9-E9885251C556', REQUIRED | OF_VIRTUAL_DISK, u32(4096)],
  ];
  const bytes = Buffer.alloc(64 * KIB + items.length * 16);
  bytes.write('metadata', 0, 'latin1');
  bytes.writeUInt16LE(items.length, 10);
  items.forEach(([id, flags, value], i) => {
    const at = 32 + i * 32;
    const place = 64 * KIB + i * 16;
    guid(id).copy(bytes, at);
    bytes.writeUInt32LE(place, at + 16);
    bytes.writeUInt32LE(value.length, at + 20);
    bytes.writeUInt32LE(flags, at + 24);
    value.copy(bytes, place);
  });
  return bytes;
}

/** Puts the CRC-32C of a structure into its second word, taken while that is zero. */
function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(crc32c(bytes), 4);
  return bytes;
}

/** A GUID's bytes: the first three fields are little-endian. */
function guid(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
