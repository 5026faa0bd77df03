import type { ResultGroup } from '../evaluate.ts';
import {
  countsText,
  failuresText,
  GREEN,
  header,
  type HumanOptions,
  humanize,
  paint,
  RED,
  summaryText,
  totalsOf,
  YELLOW,
} from './humanize.ts';
import type { Output, OutputOptions } from './output.ts';

function human(options: OutputOptions, compact: boolean): HumanOptions {
  return { compact, includeRaw: !options.options.includes('exclude_raw'), color: options.color };
}

/** Every result in words, then the failures again. */
export function documentation(groups: readonly ResultGroup[], options: OutputOptions): Output {
  const words = human(options, false);
  const totals = totalsOf(groups);
  const body = groups.map((group) => {
    const lines = group.map((result) => `${humanize(result, words)}\n`).join('');
    return `${group[0] ? header(group[0]) : ''}${lines}`;
  });
  const text = `${body.join('')}\n\n${failuresText(groups, words)}${summaryText(totals, options.color)}`;
  return { text, exitCode: totals.failed > 0 ? 1 : 0 };
}

const MARKS = { pass: ['.', GREEN], fail: ['F', RED], skip: ['S', YELLOW] } as const;

/** A mark a result, then the failures in words. */
export function rspecish(groups: readonly ResultGroup[], options: OutputOptions): Output {
  const totals = totalsOf(groups);
  const marks = groups.flat().map(({ outcome }) => {
    const [mark, color] = MARKS[outcome];
    return paint(mark, color, options.color);
  });
  const failures = failuresText(groups, human(options, false));
  return {
    text: `${marks.join('')}\n\n${failures}${summaryText(totals, options.color)}`,
    exitCode: totals.failed > 0 ? 1 : 0,
  };
}

/** Test Anything Protocol (testanything.org). */
export function tap(groups: readonly ResultGroup[], options: OutputOptions): Output {
  const words = human(options, true);
  const results = groups.flat();
  const lines = results.map((result, i) => {
    const state = result.outcome === 'fail' ? 'not ok' : 'ok';
    const skip = result.outcome === 'skip' ? '# SKIP ' : '';
    return `${state} ${i + 1} - ${skip}${humanize(result, words)}\n`;
  });
  return {
    text: `1..${results.length}\n${lines.join('')}`,
    exitCode: results.some((r) => r.outcome === 'fail') ? 1 : 0,
  };
}

/** One line for Nagios, with its exit codes: 0, or 2 for critical. */
export function nagios(groups: readonly ResultGroup[], options: OutputOptions): Output {
  const totals = totalsOf(groups);
  const { count, failed, skipped, duration } = totals;
  const performance = options.options.includes('perfdata')
    ? `|total=${count} failed=${failed} skipped=${skipped} duration=${duration}s`
    : '';
  const line = `GOSS ${failed > 0 ? 'CRITICAL' : 'OK'} - ${countsText(totals)}, Duration: ${duration}s${performance}\n`;
  if (failed === 0) return { text: line, exitCode: 0 };
  const words = human(options, true);
  const failures = groups
    .flat()
    .filter((result) => result.outcome === 'fail')
    .map((result, i) => `Fail ${i + 1} - ${humanize(result, words)}\n`);
  return {
    text: options.options.includes('verbose') ? `${line}${failures.join('')}` : line,
    exitCode: 2,
  };
}

/** Nothing but the exit code. */
export function silent(groups: readonly ResultGroup[]): Output {
  return { text: '', exitCode: groups.flat().some((r) => r.outcome === 'fail') ? 1 : 0 };
}
