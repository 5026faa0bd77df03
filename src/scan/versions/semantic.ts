/** The order of semantic versions (semver.org 2.0.0, section 11), a leading `v` allowed; undefined where one is none. */
export function compareSemanticVersions(a: string, b: string): number | undefined {
  const [one, other] = [parse(a), parse(b)];
  if (!one || !other) return undefined;
  for (let i = 0; i < 3; i++) {
    const order = compareNumbers(one.numbers[i] ?? '0', other.numbers[i] ?? '0');
    if (order !== 0) return order;
  }
  return comparePreRelease(one.pre, other.pre);
}

interface Semantic {
  readonly numbers: readonly string[];
  readonly pre: readonly string[];
}

function parse(text: string): Semantic | undefined {
  const [core = '', ...rest] = text.replace(/^v/, '').replace(/\+.*$/s, '').split('-');
  // Vulnerability databases write "0" for the very first version.
  if (!/^\d+(\.\d+){0,2}$/.test(core)) return undefined;
  const pre = rest.join('-');
  return { numbers: core.split('.'), pre: pre === '' ? [] : pre.split('.') };
}

/** What has no pre-release comes after what has one. */
function comparePreRelease(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [one, other] = [a[i], b[i]];
    if (one === undefined || other === undefined) return a.length - b.length;
    const numeric = [one, other].map((part) => /^\d+$/.test(part));
    let order: number;
    if (numeric[0] && numeric[1]) order = compareNumbers(one, other);
    else if (numeric[0] !== numeric[1]) order = numeric[0] ? -1 : 1;
    else order = one < other ? -1 : one > other ? 1 : 0;
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers of any length. */
function compareNumbers(a: string, b: string): number {
  const [one, other] = [a.replace(/^0+(?=\d)/, ''), b.replace(/^0+(?=\d)/, '')];
  return one.length - other.length || (one < other ? -1 : one > other ? 1 : 0);
}
