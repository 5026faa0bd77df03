import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hexOf } from '../core/digest.ts';
import { ExitCode, IngotError } from '../core/error.ts';
import { livingOwners, type Recovered } from '../host/index.ts';
import { openLayerCache } from '../store/layer-cache.ts';
import { recoverAll } from './recover.ts';
import { type Deps, openSession } from './session.ts';

/** Everything that Ingot keeps in its cache folder. Named one by one: the folder may be one of the user's. */
const PARTS = [
  'layers',
  'layer-leases',
  'apt',
  'initramfs',
  'downloads',
  'oci',
  'dockerfile',
  'buildah',
  'vulnerabilities',
  'hashes',
  'vm',
  'tmp',
  'leases',
  'hmac.key',
];

export interface CleanReport {
  readonly recovered: readonly Recovered[];
  readonly removedCache: boolean;
}

/**
 * `ingot clean`: takes away what killed builds left behind; with `all` the caches, too (never releases). Throws
 * `app/in-use` rather than take the caches from under a running build.
 */
export async function clean(options: { readonly all?: boolean }, deps: Deps): Promise<CleanReport> {
  const { paths } = openSession(deps);
  const recovered = await recoverAll(paths);
  if (options.all) {
    const users = livingOwners(paths.leases);
    if (users.length > 0) {
      const message = `${paths.cacheDir} is in use by process ${users.join(', ')}; expected no running build`;
      throw new IngotError('app/in-use', message, {
        hint: 'Wait for it to end, or stop it; then clean again.',
      });
    }
    for (const part of PARTS) await rm(join(paths.cacheDir, part), { recursive: true, force: true });
  }
  return { recovered, removedCache: options.all ?? false };
}

/** `ingot cache ls`. */
export async function listCache(deps: Deps) {
  const { host, paths } = openSession(deps);
  const cache = await openLayerCache({ dir: paths.cacheDir, host });
  return await cache.list();
}

/** `ingot cache rm`: the layers whose digests begin so, and what stands on them. Throws `cache/no-layer`. */
export async function removeLayers(names: readonly string[], deps: Deps) {
  const { host, paths } = openSession(deps);
  const cache = await openLayerCache({ dir: paths.cacheDir, host });
  const all = await cache.list();
  const ids = names.map((name) => {
    const digits = name.replace(/^sha256:/, '');
    const found = all.filter(({ id }) => hexOf(id).startsWith(digits));
    if (digits !== '' && found.length === 1) return (found[0] as (typeof all)[number]).id;
    throw new IngotError(
      'cache/no-layer',
      `${JSON.stringify(name)} is the beginning of ${found.length} layers' digests, expected one`,
      { hint: '`ingot cache ls` lists them.', exitCode: ExitCode.Usage },
    );
  });
  return await cache.remove(ids);
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
