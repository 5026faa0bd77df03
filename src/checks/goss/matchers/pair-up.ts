/** What stays alone when as many as can be are paired. */
export interface Pairs<L, R> {
  readonly freeLeft: readonly L[];
  readonly freeRight: readonly R[];
}

/**
 * Pairs values with expectations, one with one, as many as can be (a maximum matching of the bipartite graph, by
 * augmenting paths: Kuhn 1955). `fits` is asked once for each pair.
 */
export function pairUp<L, R>(
  left: readonly L[],
  right: readonly R[],
  fits: (l: L, r: R) => boolean,
): Pairs<L, R> {
  const edges = left.map((l) => right.flatMap((r, j) => (fits(l, r) ? [j] : [])));
  const partner = new Map<number, number>();
  for (const start of left.keys()) augment(start, edges, partner);
  const taken = new Set(partner.values());
  return {
    freeLeft: left.filter((_, i) => !taken.has(i)),
    freeRight: right.filter((_, j) => !partner.has(j)),
  };
}

/** Looks for a path from `start` to an expectation that is free; breadth first, so that long lists need no deep stack. */
function augment(start: number, edges: readonly (readonly number[])[], partner: Map<number, number>): void {
  const from = new Map<number, number>();
  const queue = [start];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    for (const j of edges[node] as readonly number[]) {
      if (from.has(j)) continue;
      from.set(j, node);
      const owner = partner.get(j);
      if (owner !== undefined) {
        queue.push(owner);
        continue;
      }
      turn(j, start, from, partner);
      return;
    }
  }
}

/** Changes partners along the path that ends at the free expectation `end`. */
function turn(
  end: number,
  start: number,
  from: ReadonlyMap<number, number>,
  partner: Map<number, number>,
): void {
  const mine = new Map([...partner].map(([j, i]) => [i, j]));
  for (let j = end; ; ) {
    const node = from.get(j) as number;
    const next = mine.get(node);
    partner.set(j, node);
    if (node === start || next === undefined) return;
    j = next;
  }
}
