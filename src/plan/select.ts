/** A build as the flags name it. */
export interface Selector {
  readonly type: string;
  readonly name: string;
  readonly buildName?: string;
  /** Of a legacy template: the name alone selects it. */
  readonly legacy?: boolean;
}

/**
 * Whether a build is meant by `-only`/`-except`: patterns of `*` and `?` over `type.name`, and over
 * `build.type.name` where the build block has a name (as Packer's glob matching does).
 */
export function isSelected(build: Selector, only: readonly string[], except: readonly string[]): boolean {
  const names = [`${build.type}.${build.name}`];
  if (build.buildName !== undefined) names.push(`${build.buildName}.${build.type}.${build.name}`);
  if (build.legacy) names.push(build.name);
  const matches = (patterns: readonly string[]): boolean =>
    patterns.some((p) => names.some((n) => globMatches(p, n)));
  if (only.length > 0 && !matches(only)) return false;
  return !matches(except);
}

/** Shell pattern of `*` and `?` against a whole string, in linear time a star. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t]) && pattern[p] !== '*') {
      p++;
      t++;
    } else if (pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
