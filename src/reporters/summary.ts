import { besideOutputs } from './beside-outputs.ts';
import { formatBytes, formatSeconds, shortDigest } from './quantities.ts';
import { type Style, styles } from './style.ts';
import { cleanLine } from './terminal-text.ts';

/** What the summary tells of one image. */
export interface SummaryImage {
  readonly name: string;
  readonly version: string;
  readonly status: 'done' | 'failed';
  readonly outputs: readonly {
    readonly format: string;
    readonly path: string;
    readonly digest: string;
    readonly size: number;
  }[];
  readonly artifacts: readonly { readonly description: string; readonly files: readonly string[] }[];
  readonly tests: readonly {
    readonly label: string;
    readonly outcome: {
      readonly passed: boolean;
      readonly checks: readonly {
        readonly name: string;
        readonly passed: boolean;
        readonly seconds?: number;
      }[];
      readonly skipped?: readonly { readonly name: string }[];
    };
  }[];
  readonly release?: { readonly digest: string; readonly store: string; readonly existed: boolean };
  /** File of what was proven. */
  readonly evidence?: string;
  readonly steps: { readonly total: number; readonly cached: number };
  readonly seconds: number;
}

/** Checks of a test that are told one by one; of more that all passed, how many. */
const TOLD = 6;

/** The end of a build for people: outputs, tests, release, how much came from the cache, and what to do next. */
export function renderSummary(
  images: readonly SummaryImage[],
  options: { readonly color: boolean; readonly next?: readonly string[] },
): string {
  const style = styles(options.color);
  const parts = images.map((image) => imageLines(image, style).join('\n'));
  if (options.next && options.next.length > 0) {
    parts.push([style.bold('Next'), ...options.next.map((command) => `  ${style.cyan(command)}`)].join('\n'));
  }
  return `\n${parts.join('\n\n')}\n`;
}

/** `goss` of `web/test.goss[0]`. */
function nameOf(label: string): string {
  return label.replace(/^.*\/test\.([^[]*)(?:\[\d+\])?$/, '$1');
}

function imageLines(image: SummaryImage, style: Style): string[] {
  const state = image.status === 'done' ? style.green('✓') : style.red('✗');
  const lines = [`${state} ${style.bold(`${image.name} ${image.version}`)}`];
  const add = (key: string, value: string): void => void lines.push(`  ${style.dim(key.padEnd(8))} ${value}`);
  for (const { outcome, label } of image.tests) {
    const { checks } = outcome;
    const many = checks.length > TOLD;
    const passed = checks.filter((c) => c.passed);
    if (many && passed.length > 0)
      add('test', `${nameOf(label)}: ${passed.length} checks ${style.green('passed')}`);
    for (const check of many ? checks.filter((c) => !c.passed) : checks) {
      const mark = check.passed ? style.green('passed') : style.red('failed');
      const time = check.seconds === undefined ? '' : ` in ${formatSeconds(check.seconds)}`;
      add('test', `${check.name} ${mark}${time}`);
    }
    if (outcome.skipped?.length)
      add('test', `${nameOf(label)}: ${outcome.skipped.length} checks ${style.dim('not made')}`);
    if (outcome.checks.length === 0) add('test', `${label} ${outcome.passed ? 'passed' : 'failed'}`);
  }
  for (const output of image.outputs) {
    add(
      output.format,
      `${output.path}  ${formatBytes(output.size)}  ${style.dim(shortDigest(output.digest))}`,
    );
  }
  for (const { description } of besideOutputs(image.artifacts, image.outputs))
    add('artifact', cleanLine(description));
  if (image.release) {
    const { digest, store, existed } = image.release;
    const note = existed ? ' (was there already)' : '';
    add('release', `${image.name}@${image.version}  ${style.dim(shortDigest(digest))}${note}`);
    add('store', store);
  }
  if (image.evidence !== undefined) add('evidence', image.evidence);
  add('steps', `${image.steps.total}, ${image.steps.cached} from the cache`);
  add('time', formatSeconds(image.seconds));
  return lines;
}
