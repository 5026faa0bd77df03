import { statfs, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/error.ts';

/** A disk with so few bytes left is full to what makes filesystems. */
const FULL_BELOW = 2 ** 20;

/** A file on the EFI system partition. */
export interface EspFile {
  /** `EFI/BOOT/BOOTX64.EFI` */
  readonly path: string;
  readonly data: Uint8Array;
}

/**
 * Makes an EFI system partition (FAT32) as a file of `size` bytes at `target`, by mkfs.vfat and mtools: nothing is
 * mounted. `id`: eight hex digits. Equal arguments give equal bytes.
 */
export async function writeEsp(
  target: string,
  o: { readonly size: number; readonly id: string; readonly files: readonly EspFile[] },
  ctx: Context,
): Promise<void> {
  await writeFile(target, '');
  await truncate(target, o.size);
  await ctx.host
    .run('mkfs.vfat', ['-F', '32', '-s', '1', '-i', o.id, '-n', 'ESP', '--invariant', target])
    .catch((error: unknown) => sayIfFull(error, target));
  // mtools writes the time of day unless told otherwise; TZ is UTC for every command we run.
  const env = { SOURCE_DATE_EPOCH: String(ctx.epoch), MTOOLS_SKIP_CHECK: '1' };
  const folders = new Set<string>();
  for (const { path } of o.files) {
    const parts = path.split('/').slice(0, -1);
    for (let i = 1; i <= parts.length; i++) folders.add(parts.slice(0, i).join('/'));
  }
  for (const folder of [...folders].sort()) await ctx.host.run('mmd', ['-i', target, `::${folder}`], { env });
  await using scratch = await ctx.host.scratch(ctx.workDir, 'esp-');
  for (const [i, { path, data }] of o.files.entries()) {
    const source = join(scratch.dir, String(i));
    await writeFile(source, data);
    await utimes(source, ctx.epoch, ctx.epoch);
    await ctx.host.run('mcopy', ['-m', '-i', target, source, `::${path}`], { env });
  }
}

/** mkfs.vfat says that a write failed, and not why. */
async function sayIfFull(error: unknown, target: string): Promise<never> {
  const { bavail, bsize } = await statfs(dirname(target));
  if (!(error instanceof IngotError) || bavail * bsize >= FULL_BELOW) throw error;
  throw new IngotError(error.code, `no space left on device: ${error.message}`, {
    output: error.output,
    cause: error,
  });
}
