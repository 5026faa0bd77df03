import type { ResultGroup, TestResult } from '../evaluate.ts';
import { jsonText, type Shown } from '../go-json.ts';
import { valueText } from '../go-text.ts';
import { lineDiff } from '../line-diff.ts';
import { compareBytes, sortedEntries } from '../values.ts';

export interface HumanOptions {
  /** One line instead of several. */
  readonly compact: boolean;
  /** Whether the value before transforms is shown. */
  readonly includeRaw: boolean;
  readonly color: boolean;
}

export const GREEN = 32;
export const RED = 31;
export const YELLOW = 33;

/** Text in a colour, where colours are wanted. */
export function paint(text: string, color: number, on: boolean): string {
  return on ? `\u001b[${color}m${text}\u001b[0m` : text;
}

/** A result in goss's words, without a line end. */
export function humanize(result: TestResult, options: HumanOptions): string {
  const { resourceType, resourceId, property, outcome, matcherResult } = result;
  const head = `${resourceType}: ${resourceId}: ${property}:`;
  if (outcome === 'skip') return paint(`${head} skipped`, YELLOW, options.color);
  if (outcome === 'pass') {
    const expected = jsonText(matcherResult?.expected ?? null);
    return paint(`${head} ${matcherResult?.message ?? ''}: ${expected}`, GREEN, options.color);
  }
  const separator = options.compact ? ' ' : '\n';
  return paint(`${head}${separator}${failureText(result, options)}`, RED, options.color);
}

function failureText({ error, matcherResult }: TestResult, { compact, includeRaw }: HumanOptions): string {
  const lines: string[] = [];
  const show = (value: Shown): string => (compact ? jsonText(value) : indent(jsonText(value)));
  if (error !== undefined) {
    lines.push('Error', compact ? error.replace(/[\t\n\f\r ]+/g, ' ') : indent(error));
  } else if (matcherResult) {
    const { actual, message, expected } = matcherResult;
    lines.push('Expected', show(actual), message, show(expected));
    if (!compact && typeof expected === 'string' && typeof actual === 'string' && expected !== actual)
      lines.push('diff', indent(lineDiff(expected, actual)));
  }
  const { missing, extra, chain, untransformed } = matcherResult ?? {};
  if (missing !== undefined && missing !== null) lines.push('the missing elements were', show(missing));
  if (extra !== undefined && extra !== null) lines.push('the extra elements were', show(extra));
  if (chain && chain.length > 0) {
    lines.push('the transform chain was', show(chain));
    if (includeRaw) lines.push('the raw value was', show(untransformed ?? null));
  }
  return lines.join(compact ? ' ' : '\n');
}

function indent(text: string): string {
  return text
    .replace(/\n+$/, '')
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}

/** Title and meta data of a resource, each on its line. */
export function header({ title, meta }: TestResult): string {
  const lines: string[] = [];
  if (title !== '') lines.push(`Title: ${title}\n`);
  if (meta) {
    lines.push('Meta:\n');
    for (const [key, value] of sortedEntries(meta)) lines.push(`    ${key}: ${valueText(value)}\n`);
  }
  return lines.join('');
}

/** Counts and time of a run. The time goes from the first start to the last end. */
export interface Totals {
  readonly count: number;
  readonly failed: number;
  readonly skipped: number;
  /** Seconds with three digits. */
  readonly duration: string;
  readonly milliseconds: number;
}

export function totalsOf(groups: readonly ResultGroup[]): Totals {
  const results = groups.flat();
  const start = results.reduce((least, r) => Math.min(least, r.start), Infinity);
  const end = results.reduce((most, r) => Math.max(most, r.end), -Infinity);
  const milliseconds = results.length === 0 ? 0 : end - start;
  return {
    count: results.length,
    failed: results.filter((r) => r.outcome === 'fail').length,
    skipped: results.filter((r) => r.outcome === 'skip').length,
    duration: (milliseconds / 1000).toFixed(3),
    milliseconds,
  };
}

export function countsText({ count, failed, skipped }: Totals): string {
  return `Count: ${count}, Failed: ${failed}, Skipped: ${skipped}`;
}

/** Everything that failed or was skipped, by resource. */
export function failuresText(groups: readonly ResultGroup[], options: HumanOptions): string {
  const telling = groups
    .map((group) => group.filter((result) => result.outcome !== 'pass'))
    .filter((group) => group.length > 0)
    .sort((a, b) => compareBytes(sortKey(a), sortKey(b)));
  if (telling.length === 0) return '';
  const blocks = telling.map((group) => {
    const [first] = group;
    const lines = group.map((result) => `${humanize(result, options)}\n`).join('');
    return `${first ? header(first) : ''}${lines}\n`;
  });
  return `Failures/Skipped:\n\n${blocks.join('')}`;
}

function sortKey(group: ResultGroup): string {
  return group[0] ? `${group[0].resourceType}:${group[0].resourceId}` : '';
}

/** The last lines of the formats for people. */
export function summaryText(totals: Totals, color: boolean): string {
  const counts = `${countsText(totals)}\n`;
  return `Total Duration: ${totals.duration}s\n${paint(counts, totals.failed > 0 ? RED : GREEN, color)}`;
}
