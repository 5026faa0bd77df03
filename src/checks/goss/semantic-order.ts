/** A version as Semantic Versioning orders it, without its metadata. */
export interface SemanticVersion {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly pre: readonly (string | bigint)[];
}

/** The parts of a pre-release: `rc.10` is a word and a number. None for an empty text. */
export function preReleaseParts(text: string): (string | bigint)[] {
  if (text === '') return [];
  return text.split('.').map((part) => (/^[0-9]+$/.test(part) ? BigInt(part) : part));
}

/** Semantic Versioning 2.0.0, section 11. */
export function compareSemantic(a: SemanticVersion, b: SemanticVersion): number {
  for (let i = 0; i < 3; i++) {
    const [x, y] = [a.numbers[i] as bigint, b.numbers[i] as bigint];
    if (x !== y) return x < y ? -1 : 1;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const [x, y] = [a.pre[i], b.pre[i]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    if (x === y) continue;
    if (typeof x !== typeof y) return typeof x === 'bigint' ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}
