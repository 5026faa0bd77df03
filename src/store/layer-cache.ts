import { mkdir, open, readdir, readFile, rename, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, hexOf, isDigest } from '../core/digest.ts';
import type { Host } from '../core/host.ts';
import type { Layer, LayerCache, StagedLayer } from '../core/layer.ts';
import { layersToKeep } from './layer-keep.ts';
import { filesOf, isUntouched, type Written } from './layer-files.ts';
import { leasedLayers, leaseLayers } from './layer-lease.ts';

/** What layer.json holds: a layer without the place where it lies. */
interface StoredLayer extends Omit<Layer, 'dir'> {
  readonly written: Written;
}

export interface CachedLayer {
  readonly id: Digest;
  readonly kind: Layer['kind'];
  readonly parents: readonly Digest[];
  /** Allocated bytes. */
  readonly bytes: number;
  readonly lastUsed: Date;
}

export interface PruneOptions {
  /** Layers not used for longer go. */
  readonly maxAgeMs?: number;
  /** Then the longest unused, until this many bytes are left. */
  readonly maxBytes?: number;
  /** These stay, and what they stand on. */
  readonly keep?: readonly Digest[];
  /** Only layers of this kind go, and count. */
  readonly kind?: Layer['kind'];
}

export interface PruneReport {
  readonly removed: readonly CachedLayer[];
  readonly keptBytes: number;
}

/** A layer cache on this machine's disk, which can tell what it holds and be made smaller. */
export interface DiskLayerCache extends LayerCache {
  list(): Promise<CachedLayer[]>;
  gc(options: PruneOptions): Promise<PruneReport>;
  /** Removes these, and what stands on them; what a running build uses stays. */
  remove(ids: readonly Digest[]): Promise<readonly CachedLayer[]>;
}

/**
 * Opens the cache below `dir`, which the first write makes. A layer is staged in `dir/tmp`, and appears in `dir/layers/<hex>` by one rename:
 * whatever is there is whole, and a layer whose
 * files were changed since counts as none. Several processes may use one cache.
 */
export async function openLayerCache(options: {
  readonly dir: string;
  readonly host: Host;
}): Promise<DiskLayerCache> {
  const { host } = options;
  const layers = join(options.dir, 'layers');
  const staging = join(options.dir, 'tmp');
  const leases = join(options.dir, 'layer-leases');
  // Before anything is written: who only looks needs no cache of their own.
  const prepare = async (): Promise<void> => {
    for (const dir of [layers, staging, leases]) await mkdir(dir, { recursive: true });
  };
  const folder = (id: Digest): string => join(layers, hexOf(id));

  const lookup = async (id: Digest): Promise<Layer | undefined> => {
    const dir = folder(id);
    const note = await readStored(dir, id);
    if (!note || !(await isUntouched(dir, note.written))) return undefined;
    const { written: _, ...stored } = note;
    // The note's time is the time of last use.
    const now = new Date();
    const there = await utimes(join(dir, 'layer.json'), now, now).then(() => true, orAbsent(false));
    return there ? { ...stored, dir } : undefined;
  };

  const remove = async (id: Digest): Promise<boolean> => {
    // Out of sight first: a killed removal leaves no half layer.
    await using trash = await host.scratch(staging, 'trash-');
    const aside = join(trash.dir, 'layer');
    if (!(await rename(folder(id), aside).then(() => true, orAbsent(false)))) return false;
    if (!(await leasedLayers(leases)).has(id)) return true;
    // Taken by another process since we looked.
    await renameOver(aside, folder(id));
    return false;
  };

  /** What stands on others goes first, so that a killed run leaves no layer without its parents. */
  const removeAll = async (going: readonly CachedLayer[]): Promise<CachedLayer[]> => {
    const removed: CachedLayer[] = [];
    for (const layer of going.toSorted((a, b) => b.parents.length - a.parents.length))
      if (await remove(layer.id)) removed.push(layer);
    return removed;
  };

  const gc = async ({ maxAgeMs, maxBytes, keep = [], kind }: PruneOptions): Promise<PruneReport> => {
    const all = await listLayers(layers, host);
    const concerned = kind === undefined ? all : all.filter((layer) => layer.kind === kind);
    const kept = layersToKeep(concerned, {
      keep: new Set([...keep, ...(await leasedLayers(leases))]),
      ...(maxAgeMs !== undefined && { usedSince: Date.now() - maxAgeMs }),
      ...(maxBytes !== undefined && { maxBytes }),
    });
    const removed = await removeAll(concerned.filter((layer) => !kept.has(layer.id)));
    const gone = new Set(removed);
    const keptBytes = concerned.filter((l) => !gone.has(l)).reduce((sum, l) => sum + l.bytes, 0);
    return { removed, keptBytes };
  };

  return {
    lookup,

    async stage(id): Promise<StagedLayer> {
      await prepare();
      const scratch = await host.scratch(staging, 'layer-');
      for (const name of ['fs', 'files']) await mkdir(join(scratch.dir, name), { mode: 0o755 });
      const committedDir = folder(id);
      let isSecond = false;
      return {
        id,
        dir: scratch.dir,
        committedDir,
        async commit(content) {
          const stored = { id, blobs: [], localOnly: false, ...content };
          await writeStored(scratch.dir, { ...stored, written: await filesOf(scratch.dir) });
          if (!(await renameOver(scratch.dir, committedDir))) {
            const first = await lookup(id);
            isSecond = first !== undefined;
            if (first) return first;
            // What is there is damaged: its note cannot be read, or a file was changed.
            await using trash = await host.scratch(staging, 'trash-');
            await rename(committedDir, join(trash.dir, 'layer')).catch(orAbsent(undefined));
            await rename(scratch.dir, committedDir);
          }
          return { ...stored, dir: committedDir };
        },
        get isSecond() {
          return isSecond;
        },
        [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose]() as Promise<void>,
      };
    },

    async lease(ids) {
      await prepare();
      return await leaseLayers(leases, ids);
    },

    list: () => listLayers(layers, host),

    bound: async (kind, maxBytes) => void (await gc({ kind, maxBytes })),

    gc,

    async remove(ids) {
      const wanted = new Set(ids);
      const leased = await leasedLayers(leases);
      const all = await listLayers(layers, host);
      return await removeAll(
        all.filter(({ id, parents }) => !leased.has(id) && [id, ...parents].some((d) => wanted.has(d))),
      );
    },
  };
}

/** Forgets the leases on layers that killed processes held in the cache below `dir`. */
export async function dropDeadLayerLeases(dir: string): Promise<void> {
  const leases = join(dir, 'layer-leases');
  await leasedLayers(leases);
}

/** Renames a folder; false where the target is there and not empty. */
async function renameOver(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}

/** The note of a whole layer; undefined where there is none, or none that can be read: such a step runs again. */
async function readStored(dir: string, id: Digest): Promise<StoredLayer | undefined> {
  const text = await readFile(join(dir, 'layer.json'), 'utf8').catch(orAbsent(undefined));
  if (text === undefined) return undefined;
  try {
    const stored = JSON.parse(text) as StoredLayer;
    const whole = stored.id === id && Array.isArray(stored.parents) && stored.written !== undefined;
    return whole ? stored : undefined;
  } catch {
    return undefined;
  }
}

async function writeStored(dir: string, layer: StoredLayer): Promise<void> {
  const file = await open(join(dir, 'layer.json'), 'wx', 0o644);
  try {
    await file.writeFile(JSON.stringify(layer));
    await file.sync();
  } finally {
    await file.close();
  }
}

/** All whole layers. What another process removes while we look is left out. */
async function listLayers(dir: string, host: Host): Promise<CachedLayer[]> {
  const found: CachedLayer[] = [];
  for (const name of (await readdir(dir).catch(orAbsent<string[]>([]))).sort()) {
    const id = `sha256:${name}`;
    if (!isDigest(id)) continue;
    const stored = await readStored(join(dir, name), id);
    const note = await stat(join(dir, name, 'layer.json')).catch(orAbsent(undefined));
    if (!stored || !note) continue;
    const { kind, parents } = stored;
    found.push({ id, kind, parents, bytes: await allocated(join(dir, name), host), lastUsed: note.mtime });
  }
  return found;
}

async function allocated(path: string, host: Host): Promise<number> {
  const { stdout } = await host.run('du', ['--summarize', '--block-size=1', '--', path], { okCodes: 'any' });
  return Number.parseInt(stdout, 10) || 0;
}

/** For files that another process may have removed first. */
function orAbsent<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}
