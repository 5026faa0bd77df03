import { constants } from 'node:fs';
import { copyFile, rename } from 'node:fs/promises';
import { FileWriter } from './file-writer.ts';
import type { DataBlock, DiskJob, DiskWriter } from './types.ts';

/** Opens the writer of one such disk. */
export async function openRaw(job: DiskJob<unknown>): Promise<DiskWriter> {
  const shared = await reflink(job.disk.path, job.target);
  const copy = sparseCopy(job, job.disk.size);
  job.disk.content.want();
  return {
    wants: shared ? undefined : {},
    write: (blocks) => copy.write(blocks),
    async finish() {
      if (!shared) await copy.finish();
      return job.disk.content.digest();
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** What the kernel answers where blocks can't be shared: not this filesystem, or not between these two. */
const UNSHARED = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOSYS', 'ENOTTY']);

/** Whether `target` now shares the blocks of `source`; false where the filesystem has no such thing. */
async function reflink(source: string, target: string): Promise<boolean> {
  // A failed copyFile removes its target, so it gets one of its own.
  const clone = `${target}.clone`;
  try {
    await copyFile(source, clone, constants.COPYFILE_FICLONE_FORCE);
  } catch (error) {
    if (UNSHARED.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
  await rename(clone, target);
  return true;
}

/** Writes the blocks to their places in a file of `size` bytes (at least the disk's). */
export function sparseCopy(job: DiskJob<unknown>, size: number) {
  const out = new FileWriter(job.file);
  return {
    async write(blocks: readonly DataBlock[]): Promise<void> {
      for (const { offset, data } of blocks) {
        await out.write(offset, offset + data.length > size ? data.subarray(0, size - offset) : data);
      }
      await out.flush();
    },
    async finish(): Promise<void> {
      await job.file.truncate(size);
    },
  };
}
