import type { Outcome, ResultGroup } from '../evaluate.ts';
import { compareBytes } from '../values.ts';
import { totalsOf } from './humanize.ts';
import type { Output, OutputOptions } from './output.ts';

/** Counters in Prometheus's text format; with `verbose` a label names each resource. */
export function prometheus(groups: readonly ResultGroup[], options: OutputOptions): Output {
  const verbose = options.options.includes('verbose');
  const counts = new Map<string, number>();
  const durations = new Map<string, number>();
  for (const group of groups) {
    for (const result of group) {
      const { outcome } = result;
      const resource = verbose ? `,resource_id="${escapeLabel(result.resourceId)}"` : '';
      const labels = `outcome="${outcome}"${resource},type="${escapeLabel(result.resourceType.toLowerCase())}"`;
      counts.set(labels, (counts.get(labels) ?? 0) + 1);
      durations.set(labels, (durations.get(labels) ?? 0) + Math.trunc(result.end - result.start));
    }
  }
  const run = `outcome="${outcomeOf(groups)}"`;
  const text = [
    family(
      'goss_tests_outcomes_duration_milliseconds',
      'The duration of tests from this run. Note; tests run concurrently.',
      durations,
    ),
    family('goss_tests_outcomes_total', 'The number of test-outcomes from this run.', counts),
    family(
      'goss_tests_run_duration_milliseconds',
      'The end-to-end duration of this run.',
      new Map([[run, Math.trunc(totalsOf(groups).milliseconds)]]),
    ),
    family('goss_tests_run_outcomes_total', 'The outcomes of this run as a whole.', new Map([[run, 1]])),
  ];
  return { text: text.join(''), exitCode: 0 };
}

/**
 * The outcome of the run: a failure stays, and what was skipped says nothing. goss lets the first check of each resource
 * take the place of what was before, so that there the last resource decides, in no certain order.
 */
function outcomeOf(groups: readonly ResultGroup[]): Outcome | 'unknown' {
  const outcomes = new Set(groups.flat().map(({ outcome }) => outcome));
  return (['fail', 'pass', 'skip'] as const).find((outcome) => outcomes.has(outcome)) ?? 'unknown';
}

function family(name: string, help: string, values: ReadonlyMap<string, number>): string {
  if (values.size === 0) return '';
  const lines = [...values]
    .sort(([a], [b]) => compareBytes(a, b))
    .map(([labels, value]) => `${name}{${labels}} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} counter\n${lines.join('')}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
