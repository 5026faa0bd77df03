import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { IngotError } from '../core/error.ts';
import { contentOf } from './filesystem-mark.ts';
import { partitionsOf, type ReadDisk } from './partition-table.ts';

/** A stretch of a disk with a filesystem that can be mounted. */
export interface DiskRoot {
  readonly filesystem: 'ext4' | 'xfs';
  /** Bytes. */
  readonly offset: number;
  readonly size: number;
}

/** Root (x86-64) of the Discoverable Partitions Specification, as GPT stores it (first three fields little-endian). */
const ROOT_TYPE = 'e3bc684fcde8b14d96e7fbcaf984b709';

/**
 * What of a disk may be its root filesystem, the likeliest first: the partition whose type says so, then the largest; or the
 * whole disk, where it has no partitions. `others`: names of what else is there, sorted.
 */
function rootCandidates(
  read: ReadDisk,
  diskSize: number,
): { readonly candidates: readonly DiskRoot[]; readonly others: readonly string[] } {
  const stretches = partitionsOf(read, diskSize) ?? [{ offset: 0, size: diskSize, type: '' }];
  const others = new Set<string>();
  const candidates: (DiskRoot & { readonly isRoot: boolean })[] = [];
  for (const { offset, size, type } of stretches) {
    const found = contentOf(read, offset);
    if (found === 'ext4' || found === 'xfs') {
      candidates.push({ filesystem: found, offset, size, isRoot: type === ROOT_TYPE });
    } else if (found !== 'nothing known') others.add(found);
  }
  candidates.sort((a, b) => Number(b.isRoot) - Number(a.isRoot) || b.size - a.size || a.offset - b.offset);
  return {
    candidates: candidates.map(({ filesystem, offset, size }) => ({ filesystem, offset, size })),
    others: [...others].sort(),
  };
}

/** As `rootCandidates`, of a raw disk. */
export function rootCandidatesOf(file: string): ReturnType<typeof rootCandidates> {
  return reading(file, rootCandidates);
}

/** As `findRoot`, of a raw disk. */
export function findRootOf(file: string): DiskRoot {
  return reading(file, findRoot);
}

function reading<T>(file: string, find: (read: ReadDisk, size: number) => T): T {
  const disk = openSync(file, 'r');
  try {
    const read: ReadDisk = (offset, length) => {
      const buffer = Buffer.alloc(length);
      return buffer.subarray(0, readSync(disk, buffer, 0, length, offset));
    };
    return find(read, fstatSync(disk).size);
  } finally {
    closeSync(disk);
  }
}

/** Finds the root filesystem of a disk. Throws `disk/no-root` and names what is there instead. */
export function findRoot(read: ReadDisk, diskSize: number): DiskRoot {
  const { candidates, others } = rootCandidates(read, diskSize);
  const [best] = candidates;
  if (best) return best;
  throw new IngotError(
    'disk/no-root',
    `the disk has no ext4 or xfs filesystem for a root; found ${others.join(', ') || 'nothing known'}`,
    {
      hint: 'Images with LVM, LUKS, btrfs or Windows cannot be mounted here; build them with engine "vm" and seal = "off".',
    },
  );
}
