import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { whyNotBootable } from '../../src/host/bootable.ts';

const SIZE = 64 * 1024;

/** An MBR with partitions of these types, each of one sector. */
function mbr(types: readonly number[], code = false): Buffer {
  const disk = Buffer.alloc(SIZE);
  disk.writeUInt16LE(0xaa55, 510);
  if (code) disk[0] = 0xeb;
  for (const [i, type] of types.entries()) {
    disk[446 + 16 * i + 4] = type;
    disk.writeUInt32LE(1 + i, 446 + 16 * i + 8);
    disk.writeUInt32LE(1, 446 + 16 * i + 12);
  }
  return disk;
}

function gpt(type: string): Buffer {
  const disk = mbr([0xee]);
  disk.write('EFI PART', 512, 'latin1');
  disk.writeBigUInt64LE(100n, 512 + 48);
  disk.writeBigUInt64LE(2n, 512 + 72);
  disk.writeUInt32LE(4, 512 + 80);
  disk.writeUInt32LE(128, 512 + 84);
  Buffer.from(type, 'hex').copy(disk, 1024);
  disk.writeBigUInt64LE(40n, 1024 + 32);
  disk.writeBigUInt64LE(41n, 1024 + 40);
  return disk;
}

function iso(): Buffer {
  const disk = Buffer.alloc(SIZE);
  disk.write('CD001', 16 * 2048 + 1, 'latin1');
  return disk;
}

const ESP = '28732ac11ff8d211ba4b00a0c93ec93b';
const LINUX = 'af3dc60f838472478e793d69d8477de4';

describe('a machine finds something to start', () => {
  test.each<[string, Buffer, boolean, boolean]>([
    ['boot code alone', mbr([0x83], true), true, false],
    ['an EFI system partition of an MBR', mbr([0x83, 0xef]), false, true],
    ['FAT, as on a USB stick', mbr([0x0c], true), true, true],
    ['partitions that lie in another', mbr([0x05]), false, true],
    ['an EFI system partition of a GPT', gpt(ESP), false, true],
    ['a GPT without one', gpt(LINUX), false, false],
    ['a disc of an installer', iso(), false, true],
    ['zeros', Buffer.alloc(SIZE), false, false],
    ['a file of text', Buffer.from('hello\n'), false, false],
    ['nothing', Buffer.alloc(0), false, false],
  ])('%s', (_, head, bios, uefi) => {
    expect(whyNotBootable(head, head.length, 'bios') === undefined).toBe(bios);
    expect(whyNotBootable(head, head.length, 'uefi') === undefined).toBe(uefi);
  });
});

test.each<[string, Buffer, 'bios' | 'uefi', RegExp, RegExp]>([
  ['the other firmware is named', mbr([0x83], true), 'uefi', /no partition for UEFI/, /--firmware bios/],
  ['and the other way round', gpt(ESP), 'bios', /no boot code/, /--firmware uefi/],
  ['zeros', Buffer.alloc(SIZE), 'bios', /neither boot code for a BIOS nor/, /right file/],
  ['an empty file', Buffer.alloc(0), 'uefi', /is empty/, /right file/],
  [
    'a raw disk that was cut',
    gpt(ESP).subarray(0, 20_000),
    'uefi',
    /ends before its partitions/,
    /to its end/,
  ],
  ['gzip', Buffer.from('1f8b080000000000', 'hex'), 'uefi', /compressed by gzip/, /Decompress/],
  ['VMDK', Buffer.from('KDMV\u0003\0\0\0'), 'bios', /a VMDK/, /qemu-img convert/],
])('%s', (_, head, firmware, reason, hint) => {
  const why = whyNotBootable(head, head.length, firmware);
  expect(why?.reason).toMatch(reason);
  expect(why?.hint).toMatch(hint);
});

test('any bytes are judged', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2048 }), fc.nat(), fc.boolean(), (bytes, size, signed) => {
      if (signed && bytes.length >= 512) bytes.set([0x55, 0xaa], 510);
      for (const firmware of ['bios', 'uefi'] as const) {
        const why = whyNotBootable(bytes, Math.max(size, bytes.length), firmware);
        expect(why === undefined || why.hint !== '').toBe(true);
      }
    }),
  );
});
