import { hexOf } from '../core/digest.ts';
import { ExitCode, IngotError } from '../core/error.ts';
import { removeStorage, type StorageUse, storageUse } from '../sources/dockerfile/buildah-storage.ts';
import { type CachedLayer, openLayerCache } from '../store/layer-cache.ts';
import { type Deps, openSession } from './session.ts';

/** Id and kind of what buildah keeps for the source "dockerfile": one entry, since it is buildah's own. */
const BUILDAH = 'buildah';

/** What the cache holds: a layer, or buildah's storage. */
export type CacheEntry =
  | CachedLayer
  | (StorageUse & { readonly id: typeof BUILDAH; readonly kind: typeof BUILDAH });

async function openCache(deps: Deps) {
  const { host, paths } = openSession(deps);
  const layers = await openLayerCache({ dir: paths.cacheDir, host });
  return {
    layers,
    storage: async (): Promise<Exclude<CacheEntry, CachedLayer> | undefined> => {
      const use = await storageUse(host, paths.cacheDir);
      return use && { id: BUILDAH, kind: BUILDAH, ...use };
    },
    removeStorage: () => removeStorage(host, paths.cacheDir),
  };
}

/** `ingot cache ls`. */
export async function listCache(deps: Deps): Promise<CacheEntry[]> {
  const cache = await openCache(deps);
  const storage = await cache.storage();
  return [...(await cache.layers.list()), ...(storage ? [storage] : [])];
}

/** `ingot cache rm`: the layers whose digests begin so, and what stands on them; or `buildah`. Throws `cache/no-layer`. */
export async function removeLayers(names: readonly string[], deps: Deps): Promise<CacheEntry[]> {
  const cache = await openCache(deps);
  const all = await cache.layers.list();
  const ids = names
    .filter((name) => name !== BUILDAH)
    .map((name) => {
      const digits = name.replace(/^sha256:/, '');
      const found = all.filter(({ id }) => hexOf(id).startsWith(digits));
      if (digits !== '' && found.length === 1) return (found[0] as CachedLayer).id;
      throw new IngotError(
        'cache/no-layer',
        `${JSON.stringify(name)} is the beginning of ${found.length} layers' digests, expected one`,
        { hint: '`ingot cache ls` lists them.', exitCode: ExitCode.Usage },
      );
    });
  const storage = names.includes(BUILDAH) ? await cache.storage() : undefined;
  const gone = storage && (await cache.removeStorage()) ? [storage] : [];
  return [...(await cache.layers.remove(ids)), ...gone];
}

export interface PruneLimits {
  readonly maxAgeMs?: number;
  readonly maxBytes?: number;
}

export interface CachePruned {
  readonly removed: readonly CacheEntry[];
  readonly keptBytes: number;
}

/**
 * `ingot cache prune`: what was not used for `maxAgeMs`, then the longest unused until `maxBytes` are left. buildah's
 * storage goes as a whole, and counts like a layer.
 */
export async function pruneCache({ maxAgeMs, maxBytes }: PruneLimits, deps: Deps): Promise<CachePruned> {
  const cache = await openCache(deps);
  const storage = await cache.storage();
  const { removed: old, keptBytes } = await cache.layers.gc({ ...(maxAgeMs !== undefined && { maxAgeMs }) });
  const goes = storage && isOver(storage, await cache.layers.list(), { maxAgeMs, maxBytes });
  const gone = goes && (await cache.removeStorage()) ? [storage] : [];
  const beside = storage && gone.length === 0 ? storage.bytes : 0;
  if (maxBytes === undefined) return { removed: [...old, ...gone], keptBytes: keptBytes + beside };
  const { removed, keptBytes: left } = await cache.layers.gc({ maxBytes: Math.max(0, maxBytes - beside) });
  return { removed: [...old, ...removed, ...gone], keptBytes: left + beside };
}

/** Whether buildah's storage has to go: too long unused, larger than all may be, or the longest unused where something must go. */
function isOver(
  storage: StorageUse,
  layers: readonly CachedLayer[],
  { maxAgeMs, maxBytes }: { readonly [key in keyof PruneLimits]: PruneLimits[key] | undefined },
): boolean {
  if (maxAgeMs !== undefined && storage.lastUsed.getTime() < Date.now() - maxAgeMs) return true;
  if (maxBytes === undefined) return false;
  const all = layers.reduce((sum, { bytes }) => sum + bytes, storage.bytes);
  if (all <= maxBytes) return false;
  return storage.bytes > maxBytes || layers.every(({ lastUsed }) => lastUsed > storage.lastUsed);
}
