import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rootCandidates } from '../../src/host/find-root.ts';
import type { ReadDisk } from '../../src/host/partition-table.ts';

const MIB = 1024 * 1024;
const reader =
  (disk: Uint8Array): ReadDisk =>
  (offset, length) =>
    disk.subarray(offset, offset + length);

function disk(size = 16 * MIB): Buffer {
  return Buffer.alloc(size);
}
const ext4 = (d: Buffer, at: number): number => d.writeUInt16LE(0xef53, at + 1024 + 56);
const text = (d: Buffer, at: number, value: string): number => d.write(value, at, 'latin1');

function mbr(d: Buffer, at: number, entries: readonly [type: number, start: number, count: number][]): void {
  d.writeUInt16LE(0xaa55, at + 510);
  for (const [i, [type, start, count]] of entries.entries()) {
    d[at + 446 + 16 * i + 4] = type;
    d.writeUInt32LE(start, at + 446 + 16 * i + 8);
    d.writeUInt32LE(count, at + 446 + 16 * i + 12);
  }
}

function gpt(d: Buffer, entries: readonly [type: string, first: number, last: number][]): void {
  mbr(d, 0, [[0xee, 1, d.length / 512 - 1]]);
  text(d, 512, 'EFI PART');
  d.writeBigUInt64LE(2n, 512 + 72);
  d.writeUInt32LE(128, 512 + 80);
  d.writeUInt32LE(128, 512 + 84);
  for (const [i, [type, first, last]] of entries.entries()) {
    Buffer.from(type, 'hex').copy(d, 1024 + 128 * i);
    d.writeBigUInt64LE(BigInt(first), 1024 + 128 * i + 32);
    d.writeBigUInt64LE(BigInt(last), 1024 + 128 * i + 40);
  }
}
const LINUX = 'af3dc60f838472478e793d69d8477de4';
const ROOT = 'e3bc684fcde8b14d96e7fbcaf984b709';

const best = (d: Buffer) => rootCandidates(reader(d), d.length).candidates[0];
const others = (d: Buffer) => rootCandidates(reader(d), d.length).others;

describe('the root filesystem', () => {
  test('of a disk without partitions', () => {
    const d = disk();
    ext4(d, 0);
    expect(best(d)).toEqual({ filesystem: 'ext4', offset: 0, size: d.length, isRoot: false });
  });

  test('of an MBR disk: the largest, logical ones too', () => {
    const d = disk();
    mbr(d, 0, [
      [0x83, 2048, 2048],
      [0x05, 8192, 16_384],
    ]);
    mbr(d, 8192 * 512, [[0x83, 2048, 8192]]);
    ext4(d, 2048 * 512);
    text(d, (8192 + 2048) * 512, 'XFSB');
    expect(best(d)).toMatchObject({
      filesystem: 'xfs',
      offset: (8192 + 2048) * 512,
      size: 8192 * 512,
    });
  });

  test('of a GPT disk: the one that says it is', () => {
    const d = disk();
    gpt(d, [
      [LINUX, 2048, 20_479],
      [ROOT, 20_480, 24_575],
    ]);
    ext4(d, 2048 * 512);
    ext4(d, 20_480 * 512);
    expect(best(d)).toMatchObject({ offset: 20_480 * 512, size: 4096 * 512, isRoot: true });
  });

  test.each<[string, (d: Buffer) => void]>([
    ['LUKS', (d) => text(d, 2048 * 512, 'LUKS\xba\xbe')],
    ['LVM', (d) => text(d, 2048 * 512 + 512, 'LABELONE')],
    ['NTFS', (d) => text(d, 2048 * 512 + 3, 'NTFS    ')],
    ['btrfs', (d) => text(d, 2048 * 512 + 0x10040, '_BHRfS_M')],
    ['f2fs', (d) => d.writeUInt32LE(0xf2f52010, 2048 * 512 + 1024)],
    ['RAID', (d) => d.writeUInt32LE(0xa92b4efc, 2048 * 512 + 4096)],
    ['squashfs', (d) => text(d, 2048 * 512, 'hsqs')],
    ['swap', (d) => text(d, 2048 * 512 + 4086, 'SWAPSPACE2')],
  ])('%s is none, and named', (name, fill) => {
    const d = disk();
    mbr(d, 0, [[0x83, 2048, 20_480]]);
    fill(d);
    expect([best(d), others(d)]).toEqual([undefined, [name]]);
  });

  test('a partition that leads beyond the disk, and a chain that bites its tail, are no traps', () => {
    const d = disk();
    mbr(d, 0, [
      [0x83, 2048, 0xffffffff],
      [0x05, 8192, 16_384],
    ]);
    mbr(d, 8192 * 512, [
      [0, 0, 0],
      [0x05, 0, 100],
    ]);
    ext4(d, 2048 * 512);
    expect(best(d)).toBeUndefined();
  });

  test('any bytes give stretches inside the disk, or none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 4096 }), fc.boolean(), (bytes, signed) => {
        const d = disk(MIB);
        d.set(bytes);
        if (signed) d.writeUInt16LE(0xaa55, 510);
        const { candidates } = rootCandidates(reader(d), d.length);
        expect(
          candidates.every(({ offset, size }) => offset >= 0 && size > 0 && offset + size <= d.length),
        ).toBe(true);
      }),
    );
  });
});
