/** Edit distance (optimal string alignment: insert, delete, replace, swap neighbours), or `limit + 1` when larger. */
export function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > limit) return limit + 1;
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? limit + 1;
}

/** The name nearest to `wanted`, where one is near enough to be what was meant; ties go to the first by code unit. */
export function nearest(wanted: string, names: Iterable<string>): string | undefined {
  let limit = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | undefined;
  for (const name of [...names].sort()) {
    const d = distance(wanted, name, limit);
    if (d > limit || (best !== undefined && d === limit)) continue;
    best = name;
    limit = d;
    if (d === 0) break;
  }
  return best;
}
