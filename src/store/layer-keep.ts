import type { Digest } from '../core/digest.ts';

/** What decides about a cached layer. */
export interface Keepable {
  readonly id: Digest;
  readonly parents: readonly Digest[];
  readonly bytes: number;
  readonly lastUsed: Date;
}

export interface KeepRules {
  /** These stay, whatever the other rules say. */
  readonly keep: ReadonlySet<Digest>;
  /** Milliseconds since 1970: what was last used before goes. */
  readonly usedSince?: number;
  /** The most recently used stay, as long as they fit into so many bytes together. */
  readonly maxBytes?: number;
}

/** Which layers stay. A layer stays with all that it stands on, since it is worth nothing without. */
export function layersToKeep(layers: readonly Keepable[], rules: KeepRules): Set<Digest> {
  const { keep, usedSince = -Infinity, maxBytes = Infinity } = rules;
  const byId = new Map(layers.map((layer) => [layer.id, layer]));
  const kept = new Set<Digest>();
  let bytes = 0;
  const take = (layer: Keepable, force: boolean): void => {
    const more = withParents(layer, byId).filter((l) => !kept.has(l.id));
    const size = more.reduce((sum, l) => sum + l.bytes, 0);
    if (!force && bytes + size > maxBytes) return;
    for (const { id } of more) kept.add(id);
    bytes += size;
  };
  const recent = [...layers].sort(
    (a, b) => b.lastUsed.getTime() - a.lastUsed.getTime() || (a.id < b.id ? -1 : 1),
  );
  for (const layer of recent) if (keep.has(layer.id)) take(layer, true);
  for (const layer of recent) if (layer.lastUsed.getTime() >= usedSince) take(layer, false);
  return kept;
}

function withParents(layer: Keepable, byId: ReadonlyMap<Digest, Keepable>): Keepable[] {
  const all = new Set([layer]);
  // A set goes on over what is added meanwhile.
  for (const { parents } of all) for (const id of parents) all.add(byId.get(id) ?? layer);
  return [...all];
}
