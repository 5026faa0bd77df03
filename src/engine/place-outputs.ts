import { mkdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Context } from '../core/context.ts';

/**
 * Copies a file of the cache to where the user wants it, sparse, through a temporary name. A file that is there
 * already, unchanged since we put it there (same size and time), is left alone. Never a hard link: whoever
 * starts a machine on the output would write into the cache.
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
  if (there && there.size === from.size && there.mtimeMs === from.mtimeMs) return target;
  await mkdir(dirname(target), { recursive: true });
  const temporary = join(outputDir, `.${fileName}.part`);
  try {
    await ctx.host.run('cp', ['--sparse=always', '--reflink=auto', '--', source, temporary], {
      signal: ctx.signal,
    });
    await utimes(temporary, from.atimeMs / 1000, from.mtimeMs / 1000);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
  return target;
}
