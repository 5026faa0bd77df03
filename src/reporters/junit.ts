import type { BuildEvent, CheckStatus } from '../core/event.ts';
import { type EvidenceBundle, reproducibilityCheck } from '../core/evidence.ts';
import { imageOf } from './image-of.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { cleanLine } from './terminal-text.ts';

/** One test case. `error`: it did not come to a result. */
interface Case {
  readonly step: string;
  readonly name: string;
  readonly status: CheckStatus | 'error';
  readonly message?: string;
  readonly seconds?: number;
}

/**
 * Proofs as JUnit XML, written on close: a suite for each image, a case for each check, also of tests that came from
 * the cache, for the seal, and for every step that ended with an error.
 */
export function junitReporter({ stream }: ReporterOptions): Reporter {
  let cases: Case[] = [];
  const kinds = new Map<string, string>();
  return {
    handle(event) {
      if (event.type === 'build:start') for (const { step, kind } of event.steps) kinds.set(step, kind);
      // Whoever starts again, on the user's word, has come to no result before.
      if (event.type === 'step:start') cases = cases.filter((c) => c.step !== event.step);
      if (event.type === 'check:result') cases.push(event);
      if (event.type !== 'step:end') return;
      const checked = cases.some((c) => c.step === event.step);
      const found = caseOfStep(event, kinds.get(event.step) ?? '', checked);
      if (found) cases.push(found);
    },
    async close() {
      stream.write(junitXml(cases));
    },
  };
}

/** The same of builds that have ended. */
export function junitOfEvidence(bundles: readonly EvidenceBundle[]): string {
  return junitXml(bundles.flatMap(casesOf));
}

function casesOf({ image, steps, tests, run, verdict, reproducibility }: EvidenceBundle): Case[] {
  const ended = new Map(run.steps.map((s) => [s.label, s]));
  const ofSteps = steps.flatMap(({ label, kind }): Case[] => {
    const test = tests.find((t) => t.step === label);
    const checks: Case[] = [
      ...(test?.checks ?? []).map(({ passed, ...check }) => ({
        ...check,
        step: label,
        status: passed ? ('passed' as const) : ('failed' as const),
      })),
      ...(test?.skipped ?? []).map(({ name, reason }) => ({
        step: label,
        name,
        status: 'skipped' as const,
        message: reason,
      })),
    ];
    const end = ended.get(label);
    const detail = verdict.reasons.find((r) => r.step === label)?.text;
    const found =
      end &&
      caseOfStep({ ...end, step: label, ...(detail !== undefined && { detail }) }, kind, checks.length > 0);
    return [...checks, ...(found ? [found] : [])];
  });
  if (!reproducibility) return ofSteps;
  const { step, name, status, message } = reproducibilityCheck(image.name, reproducibility);
  return [...ofSteps, { step, name, status, ...(message !== undefined && { message }) }];
}

/** What the end of a step says beyond its checks. */
function caseOfStep(
  {
    step,
    status,
    seconds,
    detail,
  }: Pick<Extract<BuildEvent, { type: 'step:end' }>, 'step' | 'status' | 'seconds' | 'detail'>,
  kind: string,
  checked: boolean,
): Case | undefined {
  const proof = kind === 'test' || kind === 'seal';
  if (checked || (!proof && status !== 'failed')) return undefined;
  const name = step.slice(imageOf(step).length + 1) || step;
  const found = { step, name, seconds, ...(detail !== undefined && { message: detail }) };
  switch (status) {
    case 'done':
    case 'cached':
      return { ...found, status: 'passed' };
    case 'failed':
      return { ...found, status: 'error' };
    case 'skipped':
    case 'cancelled':
      return { step, name, status: 'skipped', message: `${status}: it came to no result` };
  }
}

function junitXml(cases: readonly Case[]): string {
  const images = [...new Set(cases.map((c) => imageOf(c.step)))];
  const suites = images.map((image) =>
    suite(
      image,
      cases.filter((c) => imageOf(c.step) === image),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`;
}

function suite(image: string, cases: readonly Case[]): string {
  const count = (status: Case['status']): number => cases.filter((c) => c.status === status).length;
  const seconds = cases.reduce((sum, c) => sum + (c.seconds ?? 0), 0);
  const attributes = `name="${escape(image)}" tests="${cases.length}" failures="${count('failed')}" errors="${count('error')}" skipped="${count('skipped')}" time="${seconds.toFixed(3)}"`;
  return `  <testsuite ${attributes}>\n${cases.map(testCase).join('')}  </testsuite>\n`;
}

const ELEMENTS = { failed: 'failure', error: 'error', skipped: 'skipped' } as const;

function testCase({ step, name, status, message, seconds }: Case): string {
  const time = seconds === undefined ? '' : ` time="${seconds.toFixed(3)}"`;
  const head = `    <testcase classname="${escape(step)}" name="${escape(name)}"${time}`;
  if (status === 'passed') return `${head}/>\n`;
  const text = message === undefined ? '' : ` message="${escape(message)}"`;
  return `${head}>\n      <${ELEMENTS[status]}${text}/>\n    </testcase>\n`;
}

/** Text for an XML attribute; characters that XML 1.0 forbids are gone (section 2.2). */
function escape(text: string): string {
  return text
    .split('\n')
    .map(cleanLine)
    .join('\n')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')
    .replace(/[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '');
}
