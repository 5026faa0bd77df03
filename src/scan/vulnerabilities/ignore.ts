import { parseDocument } from 'yaml';
import { IngotError } from '../../core/error.ts';
import { isDay } from '../../core/last-day.ts';

/** A vulnerability that somebody has decided to live with, for a while. */
export interface IgnoreRule {
  readonly id: string;
  /** Source package, or any package of it where absent. */
  readonly package?: string;
  readonly reason: string;
  /** The last day on which it holds: `2027-01-31`. */
  readonly expires: string;
  /** Line of the file, from 1. */
  readonly line: number;
}

const KEYS = new Set(['id', 'package', 'reason', 'expires']);

/** An ignore file: a YAML list of rules, each with a reason and an end. Throws `scan/bad-ignore` with all that is wrong. */
export function parseIgnoreFile(text: string, file: string): IgnoreRule[] {
  const document = parseDocument(text, { uniqueKeys: true });
  const problems = document.errors.map(
    (e) => `line ${e.linePos?.[0].line ?? 1}: ${e.message.split('\n')[0]}`,
  );
  const rules: IgnoreRule[] = [];
  const content: unknown = problems.length > 0 ? [] : (document.toJS() ?? []);
  if (!Array.isArray(content)) problems.push('expected a list of rules, each with id, reason and expires');
  for (const [i, rule] of (Array.isArray(content) ? content : []).entries()) {
    const node = document.getIn([i], true) as { range?: readonly number[] } | undefined;
    const line = text.slice(0, node?.range?.[0] ?? 0).split('\n').length;
    const wrong = problemsOf(rule);
    problems.push(...wrong.map((what) => `line ${line}: ${what}`));
    if (wrong.length === 0) rules.push({ ...(rule as Omit<IgnoreRule, 'line'>), line });
  }
  if (problems.length === 0) return rules;
  throw new IngotError('scan/bad-ignore', `${file}: ${problems.join('; ')}`, {
    hint: 'A rule: { id: CVE-2024-1234, package: openssl, reason: why it does no harm, expires: 2027-01-31 }.',
  });
}

function problemsOf(rule: unknown): string[] {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule))
    return ['expected a rule with id, reason, expires'];
  const fields = rule as Record<string, unknown>;
  const text = (key: string): boolean => typeof fields[key] === 'string' && fields[key].trim() !== '';
  const problems = Object.keys(fields)
    .filter((key) => !KEYS.has(key))
    .map((key) => `unknown key "${key}"; expected ${[...KEYS].join(', ')}`);
  if (!text('id')) problems.push('the rule has no id');
  if (!text('reason')) problems.push('the rule has no reason');
  if (fields.package !== undefined && !text('package')) problems.push('package is no name');
  const { expires } = fields;
  if (typeof expires !== 'string' || !isDay(expires))
    problems.push(`expires is ${JSON.stringify(expires) ?? 'missing'}; expected a day such as 2027-01-31`);
  return problems;
}
