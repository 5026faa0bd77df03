import { type Context, note } from '../core/context.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import type { Layer, LayerCache, StagedLayer } from '../core/layer.ts';
import type { Machine, MemorySnapshot } from '../core/machine.ts';

/** What all machines' memories in a cache may take together. */
const MOST_BYTES = 6 * 1024 ** 3;

/** The layer that holds the memory of the machine which made the layer `top`. */
export function memoryId(top: Digest): Digest {
  return digestOf({ memoryOf: top });
}

/** A layer, and its machine's memory, which may still be on its way into the cache. */
export interface MachineLayer {
  readonly layer: Layer;
  /** Never rejects: what became of the memory is told, and the next machine can boot. */
  readonly memory: Promise<void>;
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
  ctx: Context,
  commit: () => Promise<Layer>,
): Promise<MachineLayer> {
  const staged = machine.keepsMemory ? await cache.stage(memoryId(into.id)) : undefined;
  try {
    const taken = await snapshot(into, staged);
    const layer = await commit();
    // The memory of a machine belongs to its own disk alone.
    if (into.isSecond) await taken?.written;
    else if (taken && staged) return { layer, memory: commitMemory(staged, taken, layer, cache, ctx) };
    await staged?.[Symbol.asyncDispose]();
    return { layer, memory: Promise.resolve() };
  } catch (error) {
    await staged?.[Symbol.asyncDispose]();
    throw error;
  }
}

async function commitMemory(
  staged: StagedLayer,
  { written }: MemorySnapshot,
  layer: Layer,
  cache: LayerCache,
  ctx: Context,
): Promise<void> {
  try {
    await using memory = staged;
    if (!(await written)) return;
    const parents = [...layer.parents, layer.id];
    await memory.commit({ kind: 'vm-state', parents, localOnly: true, result: null });
    await cache.bound?.('vm-state', MOST_BYTES);
  } catch (error) {
    note(ctx, `the machine's memory is not kept: ${(error as Error).message}`);
  }
}
