import { ascii, hex, view } from './disk-bytes.ts';
import { contentOf } from './filesystem-mark.ts';
import { EXTENDED, partitionsOf, type ReadDisk } from './partition-table.ts';
import type { Firmware } from './qemu-command.ts';

/** Types of partitions in which UEFI firmware looks for a boot loader: EFI system, any FAT. */
const UEFI_TYPES = new Set([
  '28732ac11ff8d211ba4b00a0c93ec93b', // EFI system
  'a2a0d0ebe5b9334487c068b6b72699c7', // Microsoft basic data
  '01',
  '04',
  '06',
  '0b',
  '0c',
  '0e',
  'ef',
]);

/** Files that hold a disk in a form that must be undone first, by their first bytes. */
const OTHER_FORMS: readonly (readonly [form: string, bytes: string])[] = [
  ['a VMDK', '4b444d56'],
  ['a VHDX', '7668647866696c65'],
  ['a VHD', '636f6e6563746978'],
  ['compressed by gzip', '1f8b08'],
  ['compressed by xz', 'fd377a585a00'],
  ['compressed by zstd', '28b52ffd'],
  ['compressed by bzip2', '425a68'],
  ['a zip archive', '504b0304'],
];

/**
 * Why a machine of this firmware certainly finds nothing to start on a disk, and what to do; nothing where it may. `head`: the
 * beginning of the disk as a machine sees it, 64 KiB or all of it; `size`: of the whole disk, in bytes.
 */
export function whyNotBootable(
  head: Uint8Array,
  size: number,
  firmware: Firmware,
): { readonly reason: string; readonly hint: string } | undefined {
  if (size === 0) return { reason: 'the disk is empty', hint: REBUILD };
  const form = formOf(head);
  if (form !== undefined) {
    const undo = 'Decompress it, or `qemu-img convert -O qcow2` it, and boot what comes out.';
    return { reason: `the file is ${form}, no raw or qcow2 disk`, hint: undo };
  }
  if (isCut(head, size)) {
    return {
      reason: 'the disk ends before its partitions do',
      hint: 'Was it copied or downloaded to its end? Fetch or build it again.',
    };
  }
  const byBios = hasBootCode(head);
  const byUefi = mayHaveLoader(head, size);
  if (firmware === 'bios' ? byBios : byUefi) return undefined;
  const lacks =
    firmware === 'bios'
      ? 'the disk has no boot code for a BIOS in its first sector'
      : 'the disk has no partition for UEFI to find a boot loader in';
  if (byBios) return { reason: lacks, hint: 'It has boot code for a BIOS: try --firmware bios.' };
  if (byUefi) return { reason: lacks, hint: 'It has a partition for UEFI: try --firmware uefi.' };
  return { reason: 'the disk has neither boot code for a BIOS nor a partition for UEFI', hint: REBUILD };
}

const REBUILD = 'Give a disk with a boot loader: is it the right file, and was it written to its end?';

function formOf(head: Uint8Array): string | undefined {
  const first = hex(view(head), 0, 8);
  return OTHER_FORMS.find(([, bytes]) => first.startsWith(bytes))?.[0];
}

/** Code before the disk signature of an MBR, and the mark without which a BIOS takes no sector for one. */
function hasBootCode(head: Uint8Array): boolean {
  return (
    head.length >= 512 && head[510] === 0x55 && head[511] === 0xaa && head.subarray(0, 440).some(Boolean)
  );
}

/** By the last sector that the partitions of a GPT may use (UEFI specification 2.10, 5.3.2). */
function isCut(head: Uint8Array, size: number): boolean {
  const header = view(head.subarray(512, 1024));
  if (ascii(header, 0, 8) !== 'EFI PART' || header.byteLength < 512) return false;
  return Number(header.getBigUint64(48, true)) * 512 >= size;
}

function mayHaveLoader(head: Uint8Array, size: number): boolean {
  const read: ReadDisk = (offset, length) => head.subarray(offset, offset + length);
  const partitions = partitionsOf(read, size);
  if (partitions?.some(({ type }) => UEFI_TYPES.has(type))) return true;
  // Partitions that lie in another one may lie beyond the head.
  if (partitions && [0, 1, 2, 3].some((i) => EXTENDED.has(head[446 + 16 * i + 4] ?? 0))) return true;
  // The first descriptor of an ISO 9660 disc lies at its sector 16 (ECMA-119, 8.1).
  return ascii(view(head), 16 * 2048 + 1, 5) === 'CD001' || contentOf(read, 0) === 'FAT';
}
