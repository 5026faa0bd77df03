import type { Digest } from '../core/digest.ts';
import type { Layer, LayerCache } from '../core/layer.ts';
import type { PlannedStep } from '../plan/types.ts';

/** What the cache holds of a plan, and what is left to run. */
export interface Resolution {
  /** Layers that later steps or the report read. */
  readonly hits: ReadonlyMap<Digest, Layer>;
  readonly toRun: ReadonlySet<Digest>;
}

/**
 * Asks the cache from the ends of the plan backwards: a step that is there whole spares everything below it,
 * also where garbage collection has taken the layers below. Steps that are not cacheable always run; what tests answered is
 * part of the report, so that all of them are asked for.
 */
export async function resolveCache(
  steps: readonly PlannedStep[],
  cache: LayerCache,
  force: boolean,
  /** Steps of an earlier stage of this build. */
  ended: ReadonlySet<Digest> = new Set(),
): Promise<Resolution> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const hits = new Map<Digest, Layer>();
  const toRun = new Set<Digest>();
  const stoodOn = new Set(steps.flatMap((step) => step.spec.inputs));

  async function visit(id: Digest): Promise<void> {
    if (hits.has(id) || toRun.has(id) || ended.has(id)) return;
    const step = byId.get(id);
    if (!step) return;
    const layers = step.cacheable && !force ? await wholeLayers(cache, id) : undefined;
    if (layers) {
      for (const layer of layers) hits.set(layer.id, layer);
      return;
    }
    toRun.add(id);
    for (const input of step.spec.inputs) await visit(input);
  }

  for (const step of steps)
    if (!stoodOn.has(step.id) || !step.cacheable || step.spec.kind === 'test') await visit(step.id);
  return { hits, toRun };
}

/** The layer and all its parents, or nothing: a chain with a hole can't be mounted. */
export async function wholeLayers(cache: LayerCache, id: Digest): Promise<Layer[] | undefined> {
  const layer = await cache.lookup(id);
  if (!layer) return undefined;
  const layers = [layer];
  for (const parent of layer.parents) {
    const below = await cache.lookup(parent);
    if (!below) return undefined;
    layers.push(below);
  }
  return layers;
}
