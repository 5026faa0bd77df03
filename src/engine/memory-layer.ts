import { type Digest, digestOf } from '../core/digest.ts';
import type { Layer, LayerCache, StagedLayer } from '../core/layer.ts';
import type { Machine } from '../core/machine.ts';

/** What all machines' memories in a cache may take together. */
const MOST_BYTES = 6 * 1024 ** 3;

/** The layer that holds the memory of the machine which made the layer `top`. */
export function memoryId(top: Digest): Digest {
  return digestOf({ memoryOf: top });
}

/**
 * Takes a snapshot and commits its layer; with the memory as a layer of its own, where the machine has one to keep. Those
 * of all machines share a fixed room: the longest unused go.
 */
export async function snapshotWithMemory(
  machine: Machine,
  snapshot: NonNullable<Machine['snapshot']>,
  into: StagedLayer,
  cache: LayerCache,
  commit: () => Promise<Layer>,
): Promise<Layer> {
  if (!machine.keepsMemory) {
    await snapshot(into);
    return await commit();
  }
  await using memory = await cache.stage(memoryId(into.id));
  const kept = await snapshot(into, memory);
  const layer = await commit();
  if (kept === true) {
    const parents = [...layer.parents, layer.id];
    await memory.commit({ kind: 'vm-state', parents, localOnly: true, result: null });
    await cache.bound?.('vm-state', MOST_BYTES);
  }
  return layer;
}
