import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Recovered, recover } from '../host/index.ts';
import { openLayerCache } from '../store/layer-cache.ts';
import { type Deps, openSession } from './session.ts';

export interface CleanReport {
  readonly recovered: readonly Recovered[];
  readonly removedCache: boolean;
}

/** `ingot clean`: takes down what killed builds left behind; with `all` the cache, too (never releases). */
export async function clean(options: { readonly all?: boolean }, deps: Deps): Promise<CleanReport> {
  const { host, paths } = openSession(deps);
  const recovered = await recover(paths.leases, host);
  if (options.all) {
    for (const part of ['layers', 'apt', 'initramfs', 'grub', 'tmp'])
      await rm(join(paths.cacheDir, part), { recursive: true, force: true });
  }
  return { recovered, removedCache: options.all ?? false };
}

/** `ingot cache ls`. */
export async function listCache(deps: Deps) {
  const { host, paths } = openSession(deps);
  const cache = await openLayerCache({ dir: paths.cacheDir, host });
  return await cache.list();
}

/** `ingot cache prune`: layers not used for `maxAgeMs`, then the oldest until `maxBytes` are left. */
export async function pruneCache(
  options: { readonly maxAgeMs?: number; readonly maxBytes?: number },
  deps: Deps,
) {
  const { host, paths } = openSession(deps);
  const cache = await openLayerCache({ dir: paths.cacheDir, host });
  return await cache.gc(options);
}
