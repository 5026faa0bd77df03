import type { SafeRegExp } from '../../template/regexp/regexp.ts';

/** What excuses a finding. */
export interface Allowlist {
  readonly description?: string;
  /** `and`: every kind of entry that there is must agree; `or`: one is enough. */
  readonly condition: 'and' | 'or';
  readonly paths: readonly SafeRegExp[];
  readonly regexes: readonly SafeRegExp[];
  /** What the regexes are held against. */
  readonly regexTarget: 'secret' | 'match' | 'line';
  /** Lower case; looked for in the secret. */
  readonly stopwords: readonly string[];
  /** It names commits, and no file of an image is of one. */
  readonly ofCommits: boolean;
  /** Ids of rules; only of a list for all rules. Empty: all. */
  readonly targetRules: readonly string[];
}

/** What a secret looks like. */
export interface Rule {
  readonly id: string;
  readonly description: string;
  /** Absent: the path alone is the finding. */
  readonly regex?: SafeRegExp;
  readonly path?: SafeRegExp;
  /** Group of the regex that is the secret; 0: the first that took part, else the whole match. */
  readonly secretGroup: number;
  /** Shannon entropy in bits a character that the secret must exceed. */
  readonly entropy: number;
  /** Lower case; one must be in the file before the regex is tried. */
  readonly keywords: readonly string[];
  readonly allowlists: readonly Allowlist[];
}

export interface RuleSet {
  readonly rules: readonly Rule[];
  readonly allowlists: readonly Allowlist[];
}

/** Shannon entropy of a text, in bits a character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  let total = 0;
  for (const char of text) {
    counts.set(char, (counts.get(char) ?? 0) + 1);
    total++;
  }
  let bits = 0;
  for (const count of counts.values()) bits -= (count / total) * Math.log2(count / total);
  return bits;
}

/** A place that a rule speaks of. */
export interface Candidate {
  /** From the image's top, with no slash in front. */
  readonly path: string;
  readonly secret: string;
  readonly match: string;
  readonly line: string;
}

/** Whether one of the lists excuses it. */
export function isAllowed(candidate: Candidate, rule: Rule, set: Pick<RuleSet, 'allowlists'>): boolean {
  const common = set.allowlists.filter(
    ({ targetRules }) => targetRules.length === 0 || targetRules.includes(rule.id),
  );
  return [...common, ...rule.allowlists].some((list) => excuses(list, candidate));
}

function excuses(list: Allowlist, { path, secret, match, line }: Candidate): boolean {
  const target = { secret, match, line }[list.regexTarget];
  const verdicts: boolean[] = [];
  if (list.paths.length > 0) verdicts.push(list.paths.some((p) => p.find(path) !== undefined));
  if (list.regexes.length > 0) verdicts.push(list.regexes.some((r) => r.find(target) !== undefined));
  if (list.stopwords.length > 0)
    verdicts.push(list.stopwords.some((word) => secret.toLowerCase().includes(word)));
  if (list.ofCommits) verdicts.push(false);
  if (verdicts.length === 0) return false;
  return list.condition === 'and' ? verdicts.every(Boolean) : verdicts.some(Boolean);
}
