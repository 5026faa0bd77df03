import type { Digest } from '../../core/digest.ts';
import { type FileWriter, roundUp } from './file-writer.ts';
import { derive, deriveUuid } from './identity.ts';
import { BLOCK, type DataBlock } from './types.ts';

const SECTOR = 512;
const GRAIN_SECTORS = BLOCK / SECTOR;
const TABLE_ENTRIES = 512;
/** Disk bytes that one grain table maps. */
const TABLE_SPAN = TABLE_ENTRIES * BLOCK;
const DESCRIPTOR_SECTORS = 20;
/** Sectors before the first grain. */
const OVERHEAD = 128;
/** Valid newline test, compressed grains, markers. */
const FLAGS = 0x3_0001;
/** Grain directory offset of a header whose footer knows it. */
const AT_END = 0xffff_ffff_ffff_ffffn;

const MARKER_TABLE = 1;
const MARKER_DIRECTORY = 2;
const MARKER_FOOTER = 3;

/** zlib's header for deflate with a 4 KiB window (RFC 1950). */
const ZLIB_HEADER = Uint8Array.of(0x48, 0x0d);

export interface VmdkOptions {
  readonly seed: Digest;
  /** What the descriptor calls the file. */
  readonly name: string;
  readonly adapter: string;
}

/**
 * A stream-optimized VMDK, written from front to back (VMware, Virtual Disk Format 5.0, "Stream-Optimized
 * Compressed Sparse Extents").
 */
export class VmdkStream {
  readonly #out: FileWriter;
  readonly #base: number;
  readonly #size: number;
  readonly #directory: Uint32Array;
  #table: Buffer | undefined;
  #tableIndex = -1;
  /** Sectors written so far. */
  #sector = OVERHEAD;
  readonly #options: VmdkOptions;

  /** `base`: where in the file it begins. `size`: of the virtual disk in bytes, a multiple of 64 KiB. */
  constructor(out: FileWriter, base: number, size: number, options: VmdkOptions) {
    this.#out = out;
    this.#base = base;
    this.#size = size;
    this.#options = options;
    this.#directory = new Uint32Array(Math.max(1, Math.ceil(size / TABLE_SPAN)));
  }

  /** Adds a grain. Blocks come in ascending order. */
  async add(block: DataBlock): Promise<void> {
    const index = Math.floor(block.offset / TABLE_SPAN);
    if (index !== this.#tableIndex || !this.#table) {
      await this.#writeTable();
      this.#tableIndex = index;
      this.#table = Buffer.alloc(TABLE_ENTRIES * 4);
    }
    this.#table.writeUInt32LE(this.#sector, ((block.offset % TABLE_SPAN) / BLOCK) * 4);

    const deflated = block.deflated as Uint8Array;
    const head = Buffer.alloc(12 + ZLIB_HEADER.length);
    head.writeBigUInt64LE(BigInt(block.offset / SECTOR), 0);
    head.writeUInt32LE(ZLIB_HEADER.length + deflated.length + 6, 8);
    head.set(ZLIB_HEADER, 12);
    const used = head.length + deflated.length + 6;
    const tail = Buffer.alloc(6 + roundUp(used, SECTOR) - used);
    tail[0] = 3; // the empty block that ends a deflate stream
    tail.writeUInt32BE(block.adler32 as number, 2);
    await this.#append(head, deflated, tail);
  }

  /** Writes what comes last and the header; answers the length in bytes. */
  async finish(): Promise<number> {
    await this.#writeTable();
    const directory = Buffer.alloc(roundUp(this.#directory.length * 4, SECTOR));
    this.#directory.forEach((sector, i) => directory.writeUInt32LE(sector, i * 4));
    await this.#append(marker(directory.length / SECTOR, MARKER_DIRECTORY));
    const directoryAt = this.#sector;
    await this.#append(directory);
    await this.#append(marker(1, MARKER_FOOTER));
    await this.#append(this.#header(BigInt(directoryAt)));
    await this.#append(Buffer.alloc(SECTOR)); // end of stream
    await this.#out.write(this.#base, this.#header(AT_END));
    await this.#out.write(this.#base + SECTOR, Buffer.from(this.#descriptor()));
    await this.#out.flush();
    return this.#sector * SECTOR;
  }

  async #writeTable(): Promise<void> {
    if (!this.#table) return;
    await this.#append(marker(this.#table.length / SECTOR, MARKER_TABLE));
    this.#directory[this.#tableIndex] = this.#sector;
    await this.#append(this.#table);
    this.#table = undefined;
  }

  async #append(...parts: Uint8Array[]): Promise<void> {
    let at = this.#base + this.#sector * SECTOR;
    for (const part of parts) {
      await this.#out.write(at, part);
      at += part.length;
    }
    this.#sector = (at - this.#base) / SECTOR;
  }

  #header(directoryAt: bigint): Buffer {
    const header = Buffer.alloc(SECTOR);
    header.write('KDMV', 0, 'latin1');
    header.writeUInt32LE(3, 4);
    header.writeUInt32LE(FLAGS, 8);
    header.writeBigUInt64LE(BigInt(this.#size / SECTOR), 12);
    header.writeBigUInt64LE(BigInt(GRAIN_SECTORS), 20);
    header.writeBigUInt64LE(1n, 28);
    header.writeBigUInt64LE(BigInt(DESCRIPTOR_SECTORS), 36);
    header.writeUInt32LE(TABLE_ENTRIES, 44);
    header.writeBigUInt64LE(directoryAt, 56);
    header.writeBigUInt64LE(BigInt(OVERHEAD), 64);
    header.write('\n \r\n', 73, 'latin1');
    header.writeUInt16LE(1, 77); // deflate
    return header;
  }

  #descriptor(): string {
    const { seed, name, adapter } = this.#options;
    const id = derive(seed, 'vmdk content').toString('hex');
    const uuid = (deriveUuid(seed, 'vmdk').toString('hex').match(/../g) as string[]).join(' ');
    const sectors = this.#size / SECTOR;
    const cylinders = Math.min(65535, Math.max(1, Math.floor(sectors / (255 * 63))));
    return `# Disk DescriptorFile
version=1
CID=${id.slice(0, 8)}
parentCID=ffffffff
createType="streamOptimized"

# Extent description
RW ${sectors} SPARSE "${name}"

# The Disk Data Base
#DDB

ddb.adapterType = "${adapter}"
ddb.geometry.cylinders = "${cylinders}"
ddb.geometry.heads = "255"
ddb.geometry.sectors = "63"
ddb.longContentID = "${id.slice(0, 32)}"
ddb.uuid = "${uuid.slice(0, 23)}-${uuid.slice(24)}"
ddb.virtualHWVersion = "10"
`;
  }
}

function marker(sectors: number, type: number): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  bytes.writeBigUInt64LE(BigInt(sectors), 0);
  bytes.writeUInt32LE(type, 12);
  return bytes;
}
