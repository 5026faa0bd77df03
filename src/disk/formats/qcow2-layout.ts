import type { FileHandle } from 'node:fs/promises';
import type { FileWriter } from './file-writer.ts';

const CLUSTER = 65536;
const L2_ENTRIES = CLUSTER / 8;
/** Disk bytes that one L2 table maps. */
const L2_SPAN = L2_ENTRIES * CLUSTER;
const REFCOUNTS_PER_BLOCK = CLUSTER / 2;
const HEADER_LENGTH = 112;

/** Bit 63 of an L1 or L2 entry: refcount is exactly one. */
const COPIED = 1n << 63n;
/** Bit 62 of an L2 entry: the cluster is compressed. */
const COMPRESSED = 1n << 62n;
/** Where the number of further 512-byte sectors begins: 62 - (cluster_bits - 8). */
const SECTORS_SHIFT = 54n;

/** The end of a deflate stream after a sync flush: an empty last block (RFC 1951, section 3.2.6). */
const DEFLATE_END = Uint8Array.of(3, 0);

/**
 * Places clusters in a qcow2 file (version 3, 64 KiB clusters, 16-bit refcounts): header, L1 table, then data
 * and L2 tables as they come, refcounts at the end. Compressed clusters are packed byte by byte.
 */
export class Qcow2Layout {
  readonly #size: number;
  readonly #out: FileWriter;
  readonly #l1: BigUint64Array;
  /** First free cluster of the file. */
  #next: number;
  #refcounts = new Uint16Array(1024);
  #l2: Buffer | undefined;
  #l2Index = -1;
  /** Where the next compressed cluster goes; bytes up to the cluster's end are free. */
  #packed = 0;

  /** `size`: of the virtual disk in bytes, a multiple of 512. */
  constructor(size: number, out: FileWriter) {
    this.#size = size;
    this.#out = out;
    this.#l1 = new BigUint64Array(Math.max(1, Math.ceil(size / L2_SPAN)));
    this.#next = 0;
    this.#allocate(1 + this.#l1Clusters);
  }

  get #l1Clusters(): number {
    return Math.ceil((this.#l1.length * 8) / CLUSTER);
  }

  /** Adds the cluster at `offset` of the disk. It is stored as it is where deflating gains nothing. */
  async add(offset: number, data: Uint8Array, deflated: Uint8Array | undefined): Promise<void> {
    const l2 = await this.#tableOf(offset);
    const entry =
      deflated && deflated.length + DEFLATE_END.length < CLUSTER
        ? await this.#addCompressed(deflated)
        : await this.#addPlain(data);
    l2.writeBigUInt64BE(entry, ((offset % L2_SPAN) / CLUSTER) * 8);
  }

  async #addPlain(data: Uint8Array): Promise<bigint> {
    const at = this.#allocate(1);
    await this.#out.write(at, data);
    return COPIED | BigInt(at);
  }

  async #addCompressed(deflated: Uint8Array): Promise<bigint> {
    const length = deflated.length + DEFLATE_END.length;
    const room = -this.#packed & (CLUSTER - 1);
    // A compressed cluster may run on into the next cluster of the file only if that one is free.
    if (length > room) {
      const at = this.#allocate(1);
      if (room === 0 || at !== this.#packed + room) this.#packed = at;
    }
    const at = this.#packed;
    this.#packed += length;
    await this.#out.write(at, deflated);
    await this.#out.write(at + deflated.length, DEFLATE_END);
    const sectors = Math.floor((at + length - 1) / 512) - Math.floor(at / 512);
    // Each file cluster counts the compressed clusters that touch it.
    const last = Math.floor((at + length - 1) / CLUSTER);
    for (let cluster = Math.floor(at / CLUSTER); cluster <= last; cluster++) this.#count(cluster);
    return COMPRESSED | (BigInt(sectors) << SECTORS_SHIFT) | BigInt(at);
  }

  /** The L2 table for `offset`. Offsets ascend, so the one before is complete then. */
  async #tableOf(offset: number): Promise<Buffer> {
    const index = Math.floor(offset / L2_SPAN);
    if (index !== this.#l2Index || !this.#l2) {
      await this.#writeTable();
      this.#l2Index = index;
      this.#l2 = Buffer.alloc(CLUSTER);
    }
    return this.#l2;
  }

  async #writeTable(): Promise<void> {
    if (!this.#l2) return;
    const at = this.#allocate(1);
    this.#l1[this.#l2Index] = COPIED | BigInt(at);
    await this.#out.write(at, this.#l2);
    this.#l2 = undefined;
  }

  /** Takes clusters at the end of the file; those of compressed data are counted by what touches them. */
  #allocate(clusters: number): number {
    const first = this.#next;
    this.#next += clusters;
    return first * CLUSTER;
  }

  #count(cluster: number): void {
    if (cluster >= this.#refcounts.length) {
      const larger = new Uint16Array(Math.max(cluster + 1, this.#refcounts.length * 2));
      larger.set(this.#refcounts);
      this.#refcounts = larger;
    }
    (this.#refcounts[cluster] as number)++;
  }

  /** Hands everything added so far to the kernel. */
  flush(): Promise<void> {
    return this.#out.flush();
  }

  /** Writes the tables and, last, the header. */
  async finish(file: FileHandle): Promise<void> {
    await this.#writeTable();
    const used = this.#next;
    let blocks = 0;
    let tableClusters = 0;
    while (blocks * REFCOUNTS_PER_BLOCK < used + blocks + tableClusters) {
      blocks++;
      tableClusters = Math.ceil((blocks * 8) / CLUSTER);
    }
    const blocksAt = this.#allocate(blocks);
    const tableAt = this.#allocate(tableClusters);

    const refcounts = Buffer.alloc(blocks * CLUSTER);
    for (let cluster = 0; cluster < this.#next; cluster++) {
      refcounts.writeUInt16BE(this.#refcounts[cluster] || 1, cluster * 2);
    }
    const table = Buffer.alloc(tableClusters * CLUSTER);
    for (let i = 0; i < blocks; i++) table.writeBigUInt64BE(BigInt(blocksAt + i * CLUSTER), i * 8);
    const l1 = Buffer.alloc(this.#l1Clusters * CLUSTER);
    this.#l1.forEach((entry, i) => l1.writeBigUInt64BE(entry, i * 8));

    await this.#out.write(blocksAt, refcounts);
    await this.#out.write(tableAt, table);
    await this.#out.write(CLUSTER, l1);
    await this.#out.write(0, this.#header(tableAt, tableClusters));
    await this.#out.flush();
    await file.truncate(this.#next * CLUSTER);
  }

  #header(tableAt: number, tableClusters: number): Buffer {
    const header = Buffer.alloc(HEADER_LENGTH + 8);
    header.write('QFI\xfb', 0, 'latin1');
    header.writeUInt32BE(3, 4);
    header.writeUInt32BE(16, 20); // cluster_bits
    header.writeBigUInt64BE(BigInt(this.#size), 24);
    header.writeUInt32BE(this.#l1.length, 36);
    header.writeBigUInt64BE(BigInt(CLUSTER), 40); // l1_table_offset
    header.writeBigUInt64BE(BigInt(tableAt), 48);
    header.writeUInt32BE(tableClusters, 56);
    header.writeUInt32BE(4, 96); // refcount_order: 16 bits
    header.writeUInt32BE(HEADER_LENGTH, 100);
    return header; // compression_type 0 (zlib), then the end of header extensions: eight zeros
  }
}
