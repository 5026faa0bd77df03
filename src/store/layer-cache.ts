import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  utimes,
} from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, hexOf, isDigest } from '../core/digest.ts';
import type { Host } from '../core/host.ts';
import type { Layer, LayerCache, LayerContent, StagedLayer } from '../core/layer.ts';

/** What layer.json holds: a layer without the place where it lies. */
type StoredLayer = Omit<Layer, 'dir'>;

export interface CachedLayer {
  readonly id: Digest;
  readonly kind: Layer['kind'];
  /** Allocated bytes. */
  readonly bytes: number;
  readonly lastUsed: Date;
}

export interface PruneOptions {
  /** Layers not used for longer go. */
  readonly maxAgeMs?: number;
  /** Then the longest unused, until this many bytes are left. */
  readonly maxBytes?: number;
}

export interface PruneReport {
  readonly removed: readonly CachedLayer[];
  readonly keptBytes: number;
}

/** A layer cache on this machine's disk, which can tell what it holds and be made smaller. */
export interface DiskLayerCache extends LayerCache {
  list(): Promise<CachedLayer[]>;
  gc(options: PruneOptions): Promise<PruneReport>;
}

/**
 * Opens the cache below `dir`. A layer is staged in `dir/tmp`, and appears in `dir/layers/<hex>` by one rename:
 * whatever is there is whole. Several processes may use one cache.
 */
export async function openLayerCache(options: {
  readonly dir: string;
  readonly host: Host;
}): Promise<DiskLayerCache> {
  const layers = join(options.dir, 'layers');
  const staging = join(options.dir, 'tmp');
  await mkdir(layers, { recursive: true });
  await mkdir(staging, { recursive: true });
  const held = new Map<Digest, number>();
  const folder = (id: Digest): string => join(layers, hexOf(id));

  const lookup = async (id: Digest): Promise<Layer | undefined> => {
    const dir = folder(id);
    const stored = await readStored(dir, id);
    if (!stored) return undefined;
    // The folder's time is the time of last use.
    const now = new Date();
    await utimes(join(dir, 'layer.json'), now, now);
    return { ...stored, dir };
  };

  return {
    lookup,

    async stage(id): Promise<StagedLayer> {
      const scratch = await options.host.scratch(staging, 'layer-');
      for (const name of ['fs', 'files']) await mkdir(join(scratch.dir, name), { mode: 0o755 });
      const committedDir = folder(id);
      return {
        id,
        dir: scratch.dir,
        committedDir,
        async commit(content) {
          await writeStored(scratch.dir, storedLayer(id, content));
          try {
            await rename(scratch.dir, committedDir);
          } catch (error) {
            const { code } = error as NodeJS.ErrnoException;
            if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
          }
          const layer = await lookup(id);
          if (!layer) throw new Error(`the layer ${id} is gone right after it was committed`);
          return layer;
        },
        [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose]() as Promise<void>,
      };
    },

    async lease(ids) {
      for (const id of ids) held.set(id, (held.get(id) ?? 0) + 1);
      return {
        async [Symbol.asyncDispose]() {
          for (const id of ids) held.set(id, (held.get(id) ?? 1) - 1);
        },
      };
    },

    list: () => listLayers(layers),

    async gc({ maxAgeMs, maxBytes }) {
      const all = (await listLayers(layers)).sort((a, b) => b.lastUsed.getTime() - a.lastUsed.getTime());
      const removed: CachedLayer[] = [];
      let keptBytes = 0;
      for (const layer of all) {
        const old = maxAgeMs !== undefined && Date.now() - layer.lastUsed.getTime() > maxAgeMs;
        const over = maxBytes !== undefined && keptBytes + layer.bytes > maxBytes;
        if ((held.get(layer.id) ?? 0) > 0 || (!old && !over)) {
          keptBytes += layer.bytes;
          continue;
        }
        // Out of sight first: a killed removal leaves no half layer.
        await using trash = await options.host.scratch(staging, 'trash-');
        await rename(folder(layer.id), join(trash.dir, 'layer'));
        removed.push(layer);
      }
      return { removed, keptBytes };
    },
  };
}

function storedLayer(id: Digest, content: LayerContent): StoredLayer {
  return { id, blobs: [], localOnly: false, ...content };
}

async function readStored(dir: string, id: Digest): Promise<StoredLayer | undefined> {
  const text = await readFile(join(dir, 'layer.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const stored = JSON.parse(text) as StoredLayer;
  return stored.id === id && Array.isArray(stored.parents) ? stored : undefined;
}

async function writeStored(dir: string, layer: StoredLayer): Promise<void> {
  const file: FileHandle = await open(join(dir, 'layer.json'), 'wx', 0o644);
  try {
    await file.writeFile(JSON.stringify(layer));
    await file.sync();
  } finally {
    await file.close();
  }
}

async function listLayers(dir: string): Promise<CachedLayer[]> {
  const found: CachedLayer[] = [];
  for (const name of (await readdir(dir)).sort()) {
    const id = `sha256:${name}`;
    if (!isDigest(id)) continue;
    const stored = await readStored(join(dir, name), id);
    if (!stored) continue;
    const { mtime } = await stat(join(dir, name, 'layer.json'));
    found.push({ id, kind: stored.kind, bytes: await allocated(join(dir, name)), lastUsed: mtime });
  }
  return found;
}

async function allocated(path: string): Promise<number> {
  const info = await lstat(path);
  let bytes = info.blocks * 512;
  if (info.isDirectory()) for (const name of await readdir(path)) bytes += await allocated(join(path, name));
  return bytes;
}
