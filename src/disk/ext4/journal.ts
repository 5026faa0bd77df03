import { BLOCK } from './geometry.ts';

/** Blocks of the journal for a filesystem of so many, as mke2fs chooses. */
export function journalBlocks(blocks: number): number {
  const sizes: readonly (readonly [below: number, journal: number])[] = [
    [32768, 1024],
    [256 * 1024, 4096],
    [512 * 1024, 8192],
    [4096 * 1024, 16384],
    [8192 * 1024, 32768],
    [16384 * 1024, 65536],
    [32768 * 1024, 131072],
  ];
  return sizes.find(([below]) => blocks < below)?.[1] ?? 262144;
}

/** First block of an empty journal (kernel documentation, ext4, "Journal (jbd2)"; its numbers are big-endian). */
export function journalSuperblock(blocks: number, uuid: Buffer): Buffer {
  const sb = Buffer.alloc(1024);
  sb.writeUInt32BE(0xc03b3998, 0x00);
  // A superblock of version 2.
  sb.writeUInt32BE(4, 0x04);
  sb.writeUInt32BE(BLOCK, 0x0c);
  sb.writeUInt32BE(blocks, 0x10);
  // The log's first block, the first transaction's number, one user. Nothing to replay: its start is 0.
  sb.writeUInt32BE(1, 0x14);
  sb.writeUInt32BE(1, 0x18);
  uuid.copy(sb, 0x30);
  sb.writeUInt32BE(1, 0x40);
  return sb;
}
