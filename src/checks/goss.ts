import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { evaluate, type ResultGroup, type TestResult } from './goss/evaluate.ts';
import type { GossFile } from './goss/load.ts';
import { humanize } from './goss/outputs/humanize.ts';
import { type Output, type OutputName, type OutputOptions, OUTPUTS } from './goss/outputs/output.ts';
import { idOf, typeOf } from './goss/resource.ts';
import { ImageSystem } from './goss/systems/image-system.ts';
import { type Commands, MachineSystem } from './goss/systems/machine-system.ts';
import { type BootedAs, type SortedChecks, sortByTarget, SplitSystem } from './goss/targets.ts';
import { findWeakChecks } from './goss/weak.ts';

export { type GossFile, loadGossFile } from './goss/load.ts';
export type { ResultGroup, TestResult } from './goss/evaluate.ts';
export type { GossTestOptions } from './goss/spec.ts';
export { loadVariables } from './goss/template/variables.ts';
export type { Commands } from './goss/systems/machine-system.ts';
export type { BootedAs } from './goss/targets.ts';
export { type FormatOption, OUTPUTS } from './goss/outputs/output.ts';

/** goss's exit code when the time for retries is over. */
export const TIMEOUT_EXIT = 3;

export interface GossCheckOptions {
  readonly strict: boolean;
  /** Milliseconds; 0: one try. */
  readonly retryTimeout: number;
  readonly sleep: number;
}

/** What is checked: the files of an image, and a way to boot it that is only gone where needed. */
export interface GossSubject {
  readonly root: Rootfs;
  /** Absent: checks of a booted image are left out. */
  readonly boot?: () => Promise<Commands>;
  /** What `boot` starts; default a container. */
  readonly bootedAs?: BootedAs;
}

export interface GossCheckResult {
  readonly groups: readonly ResultGroup[];
  readonly sorted: SortedChecks;
  /** Weak checks, and those that were left out; errors among them fail the run. */
  readonly diagnostics: readonly Diagnostic[];
  readonly passed: boolean;
  /** The retries' time was over before everything passed. */
  readonly timedOut: boolean;
  readonly attempts: number;
}

/** Runs a goss file on an image: on its files what they decide, in the booted image what it alone tells. */
export async function checkGoss(
  file: GossFile,
  subject: GossSubject,
  options: GossCheckOptions,
  ctx: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<GossCheckResult> {
  const image = new ImageSystem(subject.root);
  const sorted = sortByTarget(file.resources, image, subject.bootedAs);
  const weak = findWeakChecks(file.resources, options.strict);
  const communicator = sorted.booted.length > 0 ? await subject.boot?.() : undefined;
  const began = performance.now();
  for (let attempts = 1; ; attempts++) {
    const machine = communicator && new MachineSystem(communicator, subject.bootedAs);
    const groups = await evaluate(file.resources, new SplitSystem(image, machine), ctx);
    const diagnostics = [...weak, ...leftOut(groups, options.strict), ...nothingDecided(groups)];
    const failed = groups.flat().some((result) => result.outcome === 'fail');
    const passed = !failed && diagnostics.every((d) => d.severity !== 'error');
    const over = performance.now() - began + options.sleep > options.retryTimeout;
    if (!failed || over) {
      const timedOut = failed && options.retryTimeout > 0;
      return { groups, sorted, diagnostics, passed, timedOut, attempts };
    }
    await delay(options.sleep, undefined, { signal: ctx.signal });
  }
}

/** Checks that could not be decided here. They must not look as if they had passed. */
function leftOut(groups: readonly ResultGroup[], strict: boolean): Diagnostic[] {
  return groups.flatMap((group) => {
    const telling = group.filter((result) => result.elsewhere !== undefined);
    const [first] = telling;
    if (!first) return [];
    const { resource, elsewhere = '' } = first;
    return [
      {
        code: 'goss/not-decided',
        severity: strict ? ('error' as const) : ('warning' as const),
        message: `${typeOf(resource).title}: ${idOf(resource)}: ${telling.map((r) => r.property).join(', ')}: not checked: ${elsewhere}`,
        range: resource.range,
      },
    ];
  });
}

/** A file of which nothing could be decided proves nothing, even where each of its checks may be left out. */
function nothingDecided(groups: readonly ResultGroup[]): Diagnostic[] {
  const results = groups.flat();
  const elsewhere = results.find((result) => result.elsewhere !== undefined);
  if (!elsewhere || results.some(({ outcome }) => outcome !== 'skip')) return [];
  return [
    {
      code: 'goss/nothing-decided',
      severity: 'error',
      message: 'not one check of the goss file could be decided here',
      range: elsewhere.resource.range,
      hint: 'Test the booted image: leave out --no-boot, or give the test an image that boots.',
    },
  ];
}

/** One line that says what failed. */
export function failureText(result: TestResult): string {
  return humanize(result, { compact: true, includeRaw: true, color: false });
}

/** A result in one of goss's formats, with goss's exit code. */
export function printGoss(result: GossCheckResult, format: OutputName, options: OutputOptions): Output {
  const output = OUTPUTS[format](result.groups, options);
  if (result.timedOut && output.exitCode !== 0) return { ...output, exitCode: TIMEOUT_EXIT };
  // Errors of strict are no failures of goss, but must fail the run.
  return !result.passed && output.exitCode === 0
    ? { ...output, exitCode: format === 'nagios' ? 2 : 1 }
    : output;
}
