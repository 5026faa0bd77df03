import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { digestOf, hexOf } from '../../core/digest.ts';
import type { LockedApt } from '../../core/lock.ts';
import { placesOf } from './archive-memory.ts';
import { aptCache } from './blobs.ts';
import { fetchPackages } from './download.ts';
import { openPackages } from './prepared.ts';
import { unpackData } from './unpack.ts';

/** What unpacking tools needs of a context. */
export type ToolsContext = Pick<Context, 'host' | 'workDir' | 'cacheDir' | 'signal' | 'emit' | 'step'>;

/**
 * The files of the boot loaders that a lock entry names, in a folder of the cache that is never written again:
 * `<cacheDir>/apt/tools/<digest>/usr/lib/grub/…`. They are only unpacked; nothing of them is run. Needs root.
 */
export async function unpackTools(entry: LockedApt, ctx: ToolsContext): Promise<string> {
  const cache = aptCache(ctx);
  const dir = join(cache.dir, 'tools', hexOf(digestOf(entry.tools)));
  if (existsSync(dir)) return dir;
  await fetchPackages(entry.tools, () => placesOf(entry, ctx), cache, ctx);
  const opened = await openPackages(entry.tools, cache, ctx);
  await mkdir(join(cache.dir, 'tools'), { recursive: true });
  await using scratch = await ctx.host.scratch(join(cache.dir, 'tools'), 'new-');
  const tree = join(scratch.dir, 'tree');
  await mkdir(tree);
  await unpackData(opened, tree, 1, ctx);
  try {
    await rename(tree, dir);
  } catch (error) {
    // Another build was first.
    if (!existsSync(dir)) throw error;
  }
  return dir;
}
