import type { Diagnostic } from '../core/diagnostic.ts';
import { IngotError } from '../core/error.ts';
import { checkGoss, failureText, type GossCheckOptions, type GossFile, type GossSubject } from './goss.ts';
import { findMutations } from './goss/mutate/find-mutations.ts';
import {
  judgeBooted,
  type JudgeContext,
  judgeOnDisk,
  resourcesOn,
  type Verdict,
} from './goss/mutate/judge.ts';
import { ImageSystem } from './goss/systems/image-system.ts';

export type { Verdict } from './goss/mutate/judge.ts';

export interface MutateOptions extends GossCheckOptions {
  /** Most mutations that are tried. */
  readonly mutations: number;
}

export interface MutationReport {
  readonly mutations: readonly Verdict[];
  /** Without the limit there would be so many. */
  readonly possible: number;
  readonly noticed: number;
  /** Percent of the mutations that a check noticed; 100 where there were none. */
  readonly score: number;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Flips facts of an image one by one and tells which of them no check of a goss file notices. The image's view is changed
 * and put back: it must be one that is thrown away. Throws `goss/not-passing` where a check fails without any mutation.
 */
export async function mutateImage(
  file: GossFile,
  subject: GossSubject,
  options: MutateOptions,
  ctx: JudgeContext,
): Promise<MutationReport> {
  let booted: ReturnType<NonNullable<GossSubject['boot']>> | undefined;
  const boot = subject.boot && (() => (booted ??= subject.boot?.() as NonNullable<typeof booted>));
  await mustPass(file, { ...subject, ...(boot && { boot }) }, options, ctx);
  const { bootedAs = 'container' } = subject;

  const image = new ImageSystem(subject.root);
  const found = findMutations(file.resources, subject.root, image, options.mutations);
  const onDisk = resourcesOn('disk', file.resources, image, bootedAs);
  const verdicts = await judgeOnDisk(found.disk, onDisk, subject.root, options.strict, ctx);
  const diagnostics: Diagnostic[] = [];
  const inBoot = resourcesOn('booted', file.resources, image, bootedAs);
  if (found.booted.length > 0 && inBoot.length === 0) {
    // Nothing asks a booted copy, so nothing can notice.
    for (const { unit: _, ...mutation } of found.booted)
      verdicts.push({ ...mutation, on: 'booted', noticed: false });
  } else if (found.booted.length > 0 && boot) {
    const judged = await judgeBooted(found.booted, inBoot, subject.root, await boot(), bootedAs, ctx);
    verdicts.push(...judged.verdicts);
    diagnostics.push(...notJudged(judged, found.booted.length));
  } else if (found.booted.length > 0) {
    diagnostics.push(warning(`${found.booted.length} mutations need a booted image and were not tried`));
  }
  const noticed = verdicts.filter((v) => v.noticed).length;
  const score = verdicts.length === 0 ? 100 : Math.floor((100 * noticed) / verdicts.length);
  return { mutations: verdicts, possible: found.all, noticed, score, diagnostics };
}

async function mustPass(
  file: GossFile,
  subject: GossSubject,
  options: GossCheckOptions,
  ctx: JudgeContext,
): Promise<void> {
  const { groups } = await checkGoss(file, subject, options, ctx);
  const failed = groups.flat().filter((result) => result.outcome === 'fail');
  if (failed.length === 0) return;
  throw new IngotError('goss/not-passing', `${failed.length} checks fail on the image as it is`, {
    hint: 'Mutations tell something of tests that pass: mend the image or the goss file first.',
    output: failed
      .slice(0, 20)
      .map((r) => `${r.resourceType}: ${r.resourceId}: ${r.property}: ${failureText(r)}`),
  });
}

function notJudged(
  { verdicts, notRunning, lost }: Awaited<ReturnType<typeof judgeBooted>>,
  all: number,
): Diagnostic[] {
  const left = all - verdicts.length - notRunning.length;
  return [
    ...(notRunning.length > 0
      ? [warning(`not running in the booted copy, and not stopped: ${notRunning.join(', ')}`)]
      : []),
    ...(lost === undefined
      ? []
      : [warning(`${lost} did not come back as it was; ${left} units behind it were not stopped`)]),
  ];
}

function warning(message: string): Diagnostic {
  return { code: 'goss/not-mutated', severity: 'warning', message };
}
