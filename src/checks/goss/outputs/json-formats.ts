import type { ResultGroup, TestResult } from '../evaluate.ts';
import { jsonText, type Shown } from '../go-json.ts';
import { humanize, totalsOf } from './humanize.ts';
import type { Output, OutputOptions } from './output.ts';

const RESULT_CODES = { pass: 0, fail: 1, skip: 2 } as const;
const NANOSECONDS = 1_000_000n;

/** Fields of a result in the order of goss's own structure. */
function fields(result: TestResult, successful: boolean): [string, unknown][] {
  const { matcherResult: m } = result;
  return [
    ['successful', successful],
    ['skipped', result.outcome === 'skip'],
    ['resource-id', result.resourceId],
    ['resource-type', result.resourceType],
    ['property', result.property],
    ['title', result.title],
    ['meta', plain(result.meta)],
    ['result', RESULT_CODES[result.outcome]],
    ['err', result.error ?? null],
    [
      'matcher-result',
      {
        actual: plain(m?.actual),
        message: m?.message ?? '',
        expected: plain(m?.expected),
        'missing-elements': plain(m?.missing),
        'found-elements': plain(m?.found),
        'extra-elements': plain(m?.extra),
        'transform-chain': m?.chain && m.chain.length > 0 ? plain(m.chain) : null,
        'untransformed-value': plain(m?.untransformed),
      },
    ],
    ['start-time', goTime(result.start)],
    ['end-time', goTime(result.end)],
    ['duration', Number(nanoseconds(result.end - result.start))],
  ];
}

function plain(value: Shown | undefined): unknown {
  if (value === undefined) return null;
  const text = jsonText(value);
  return text.startsWith('json: ') ? text : (JSON.parse(text) as unknown);
}

function goTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.?0*Z$/, 'Z');
}

function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds)) * NANOSECONDS;
}

/** Go escapes HTML's characters and what JavaScript takes for line ends. */
function goEscaped(text: string): string {
  return text.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function stringify(value: unknown, indent: string): string {
  return `${goEscaped(JSON.stringify(value, undefined, indent))}\n`;
}

/** Keys of maps sorted, all the way down. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

function summaryLines(result: TestResult, options: OutputOptions): [string, unknown][] {
  const includeRaw = !options.options.includes('exclude_raw');
  return [
    ['summary-line', humanize(result, { compact: false, includeRaw, color: false })],
    ['summary-line-compact', humanize(result, { compact: true, includeRaw, color: false })],
  ];
}

/** All results and a summary, keys in alphabetical order. */
export function json(groups: readonly ResultGroup[], options: OutputOptions): Output {
  const totals = totalsOf(groups);
  const { count, failed, skipped, duration, milliseconds } = totals;
  const results = groups
    .flat()
    .map((r) => Object.fromEntries([...fields(r, r.outcome !== 'fail'), ...summaryLines(r, options)]));
  const summary = {
    'test-count': count,
    'failed-count': failed,
    'skipped-count': skipped,
    'total-duration': Number(nanoseconds(milliseconds)),
    'summary-line': `Count: ${count}, Failed: ${failed}, Skipped: ${skipped}, Duration: ${duration}s`,
  };
  const indent = options.options.includes('pretty') ? '    ' : '';
  return {
    text: stringify(sorted({ results: results.length > 0 ? results : null, summary }), indent),
    exitCode: failed > 0 ? 1 : 0,
  };
}

/** As `json`, in the order of goss's structures, with a summary line behind; its exit code is always 0. */
export function structured(groups: readonly ResultGroup[], options: OutputOptions): Output {
  const { count, failed, duration, milliseconds } = totalsOf(groups);
  const results = groups
    .flat()
    .map((r) => Object.fromEntries([...fields(r, false), ...summaryLines(r, options)]));
  const value = {
    results,
    summary: {
      'test-count': count,
      'failed-count': failed,
      'total-duration': Number(nanoseconds(milliseconds)),
    },
    'summary-line': `Count: ${count}, Failed: ${failed}, Duration: ${duration}s`,
  };
  return { text: stringify(value, options.options.includes('pretty') ? '  ' : ''), exitCode: 0 };
}
