const PATTERN =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d*))?((?:[-_.]?(?:post|rev|r)[-_.]?\d*)|-\d+)?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+[a-z0-9._-]+)?$/i;

/** Release, then what comes before and after it; local versions are left out. */
type Key = readonly [
  epoch: number,
  release: readonly number[],
  pre: readonly [number, number],
  post: number,
  dev: number,
];

/** The order of Python's versions (PEP 440), local parts left out; undefined where one is none. */
export function comparePythonVersions(a: string, b: string): number | undefined {
  const [one, other] = [keyOf(a), keyOf(b)];
  if (!one || !other) return undefined;
  return (
    one[0] - other[0] ||
    compareReleases(one[1], other[1]) ||
    one[2][0] - other[2][0] ||
    one[2][1] - other[2][1] ||
    one[3] - other[3] ||
    compareDev(one[4], other[4])
  );
}

function keyOf(text: string): Key | undefined {
  const match = PATTERN.exec(text.trim());
  if (!match) return undefined;
  const [, epoch = '0', release = '', pre, preNumber, post, dev, devNumber] = match;
  const letters: Readonly<Record<string, number>> = { a: 0, b: 1, c: 2, r: 2, p: 2 };
  const stage = pre === undefined ? 3 : (letters[pre[0]?.toLowerCase() ?? ''] ?? 2);
  // A development version of the release itself comes before its pre-releases.
  const first = dev !== undefined && pre === undefined && post === undefined ? -1 : stage;
  return [
    Number(epoch),
    release.split('.').map(Number),
    [first, Number(preNumber || 0)],
    post === undefined ? -1 : Number(/\d+$/.exec(post)?.[0] ?? 0),
    dev === undefined ? Number.POSITIVE_INFINITY : Number(devNumber || 0),
  ];
}

function compareReleases(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = (a[i] ?? 0) - (b[i] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/** Infinity stands for "no development version"; its difference from itself is no number. */
function compareDev(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
