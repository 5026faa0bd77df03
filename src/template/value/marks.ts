/** What sticks to a value through every operation. */
export interface Marks {
  /** Names of the sensitive variables (`var.password`) whose value is in here. */
  readonly sensitive: ReadonlySet<string>;
  /** The value is another in every run: `timestamp()`, a random value, `build.*`. */
  readonly volatile: boolean;
}

export const NO_MARKS: Marks = { sensitive: new Set(), volatile: false };
export const VOLATILE: Marks = { sensitive: new Set(), volatile: true };

export function sensitiveMark(name: string): Marks {
  return { sensitive: new Set([name]), volatile: false };
}

export function joinMarks(a: Marks, b: Marks): Marks {
  if (a === b || b === NO_MARKS) return a;
  if (a === NO_MARKS) return b;
  const sensitive = a.sensitive.size === 0 ? b.sensitive : new Set([...a.sensitive, ...b.sensitive]);
  return { sensitive, volatile: a.volatile || b.volatile };
}
