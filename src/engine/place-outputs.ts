import { link, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { replaceFileBy } from '../core/replace-file.ts';

/**
 * Puts a file of the cache where the user wants it, through a temporary name: by a second name for the same file, so
 * that a large disk isn't written twice, or as a sparse copy on another filesystem. Whoever writes into the file there
 * ends the cached layer's life, which the cache notices (store/layer-files.ts). A file that is there already, unchanged
 * since we put it there (same size and time), is left alone.
 */
export async function placeOutput(
  source: string,
  outputDir: string,
  fileName: string,
  ctx: Context,
): Promise<string> {
  const target = join(outputDir, fileName);
  const from = await stat(source);
  const there = await stat(target).catch(() => undefined);
  // A copy's time is that of the source to the microsecond, which is what utimes(2) takes.
  if (there && there.size === from.size && Math.abs(there.mtimeMs - from.mtimeMs) < 0.01) return target;
  await replaceFileBy(target, async (temporary) => {
    if (await linked(source, temporary)) return;
    await ctx.host.run('cp', ['--sparse=always', '--reflink=auto', '--', source, temporary], {
      signal: ctx.signal,
    });
    await utimes(temporary, from.atimeMs / 1000, from.mtimeMs / 1000);
  });
  return target;
}

/** False where this place takes no second name: another filesystem, one without hard links, or too many of them. */
async function linked(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target);
    return true;
  } catch (error) {
    if (
      ['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP'].includes(
        (error as NodeJS.ErrnoException).code ?? '',
      )
    )
      return false;
    throw error;
  }
}
