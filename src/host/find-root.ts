import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { contentOf } from './filesystem-mark.ts';
import { partitionsOf, type ReadDisk } from './partition-table.ts';

/** A stretch of a disk with a filesystem that can be mounted. */
export interface DiskRoot {
  readonly filesystem: 'ext4' | 'xfs';
  /** Bytes. */
  readonly offset: number;
  readonly size: number;
}

export interface RootCandidates {
  /** The likeliest first. `isRoot`: the partition's type says so. */
  readonly candidates: readonly (DiskRoot & { readonly isRoot: boolean })[];
  /** Names of what else is there, sorted. */
  readonly others: readonly string[];
}

/** Root (x86-64) of the Discoverable Partitions Specification, as GPT stores it (first three fields little-endian). */
const ROOT_TYPE = 'e3bc684fcde8b14d96e7fbcaf984b709';

/**
 * What of a disk may be its root filesystem: the partition whose type says so, then the largest; or the whole disk, where it
 * has no partitions.
 */
export function rootCandidates(read: ReadDisk, diskSize: number): RootCandidates {
  const stretches = partitionsOf(read, diskSize) ?? [{ offset: 0, size: diskSize, type: '' }];
  const others = new Set<string>();
  const candidates: RootCandidates['candidates'][number][] = [];
  for (const { offset, size, type } of stretches) {
    const found = contentOf(read, offset);
    if (found === 'ext4' || found === 'xfs') {
      candidates.push({ filesystem: found, offset, size, isRoot: type === ROOT_TYPE });
    } else if (found !== 'nothing known') others.add(found);
  }
  candidates.sort((a, b) => Number(b.isRoot) - Number(a.isRoot) || b.size - a.size || a.offset - b.offset);
  return { candidates, others: [...others].sort() };
}

/** As `rootCandidates`, of a raw disk. */
export function rootCandidatesOf(file: string): RootCandidates {
  const disk = openSync(file, 'r');
  try {
    const read: ReadDisk = (offset, length) => {
      const buffer = Buffer.alloc(length);
      return buffer.subarray(0, readSync(disk, buffer, 0, length, offset));
    };
    return rootCandidates(read, fstatSync(disk).size);
  } finally {
    closeSync(disk);
  }
}
