/** How bad, in order; `unknown` stands beside the order: nobody has said yet. */
export const URGENCIES = ['negligible', 'low', 'medium', 'high', 'critical'] as const;
export type Urgency = (typeof URGENCIES)[number] | 'unknown';

/** What a database says of one vulnerability in one package. */
export interface Advisory {
  /** `CVE-2024-1234` where it has such a number. */
  readonly id: string;
  /** Whether an installed version is affected; `undetermined`: the database has not decided, or we cannot compare. */
  readonly state: 'fixable' | 'unfixed' | 'undetermined';
  /** First version without it, of the image's own suite. */
  readonly fixed?: string;
  readonly urgency: Urgency;
  readonly description?: string;
}

/** A vulnerability that an image has, or may have. */
export interface Vulnerability extends Advisory {
  /** Name that the database knows the package by: the source package, for distributions. */
  readonly name: string;
  readonly installed: string;
  /** Package URLs of what is installed of it, sorted. */
  readonly purls: readonly string[];
}

/** Whether `urgency` is at least as bad as `limit`; never true of an unknown one. */
export function atLeast(urgency: Urgency, limit: (typeof URGENCIES)[number]): boolean {
  return urgency !== 'unknown' && URGENCIES.indexOf(urgency) >= URGENCIES.indexOf(limit);
}

/** The same vulnerability as two databases tell it: the one that knows a fix, and whichever urgency is known and worse. */
export function mergeAdvisories<A extends Advisory>(a: A, b: A): A {
  const order = ['fixable', 'unfixed', 'undetermined'];
  const best = order.indexOf(a.state) <= order.indexOf(b.state) ? a : b;
  const ranked = ['unknown', ...URGENCIES];
  const urgency = ranked.indexOf(a.urgency) >= ranked.indexOf(b.urgency) ? a.urgency : b.urgency;
  return { ...best, urgency };
}
