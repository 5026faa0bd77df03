import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../../core/clock.ts';
import { IngotError } from '../../../core/error.ts';
import type { Rootfs } from '../../../core/rootfs.ts';
import { askedChecks, evaluate, type TestResult } from '../evaluate.ts';
import type { GossResource } from '../resource.ts';
import { ImageSystem } from '../systems/image-system.ts';
import { type Commands, MachineSystem } from '../systems/machine-system.ts';
import { type BootedAs, SplitSystem, type Target, targetOf } from '../targets.ts';
import { ImageChanges } from './image-changes.ts';
import type { DiskMutation, Mutation, StopMutation } from './mutation.ts';

/** How a mutation fared. */
export interface Verdict extends Mutation {
  readonly on: 'disk' | 'booted';
  readonly noticed: boolean;
  /** The first check that noticed: `File: /etc/app.conf: mode`. */
  readonly by?: string;
}

export interface JudgeContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What a service that was started again may take until every check passes as before. */
const RECOVERY_MS = 60_000;
const POLL_MS = 100;

/** Resources of which a target decides something. */
export function resourcesOn(
  target: Target,
  resources: readonly GossResource[],
  image: ImageSystem,
  bootedAs: BootedAs,
): GossResource[] {
  return resources.filter((r) =>
    askedChecks(r).some(({ name }) => targetOf(r, name, image, bootedAs) === target),
  );
}

/** Flips facts of a throwaway view, one after the other, and runs what the disk decides. */
export async function judgeOnDisk(
  mutations: readonly DiskMutation[],
  resources: readonly GossResource[],
  root: Rootfs,
  strict: boolean,
  ctx: JudgeContext,
): Promise<Verdict[]> {
  const run = async (): Promise<TestResult[]> =>
    (await evaluate(resources, new SplitSystem(new ImageSystem(root), undefined), ctx)).flat();
  const before = await run();
  const verdicts: Verdict[] = [];
  for (const mutation of mutations) {
    using changes = new ImageChanges(root);
    mutation.apply(changes);
    verdicts.push(verdictOf(mutation, 'disk', before, await run(), strict));
  }
  const after = await run();
  if (after.some((result, i) => result.outcome !== before[i]?.outcome))
    throw new IngotError('goss/not-restored', 'a change of the throwaway view could not be taken back', {
      hint: 'What was reported of the mutations behind it may be wrong. Please report it with the goss file.',
    });
  return verdicts;
}

/**
 * Stops units of one booted copy, each started again before the next. Units that do not run there are left out, as is
 * what follows one that does not come back.
 */
export async function judgeBooted(
  mutations: readonly StopMutation[],
  resources: readonly GossResource[],
  root: Rootfs,
  commands: Commands,
  bootedAs: BootedAs,
  ctx: JudgeContext,
): Promise<{
  readonly verdicts: readonly Verdict[];
  readonly notRunning: readonly string[];
  readonly lost?: string;
}> {
  const image = new ImageSystem(root);
  const run = async (): Promise<TestResult[]> =>
    (await evaluate(resources, new SplitSystem(image, new MachineSystem(commands, bootedAs)), ctx)).flat();
  const systemctl = async (...args: string[]): Promise<boolean> =>
    (await commands.exec(['systemctl', ...args], { signal: ctx.signal })).exitCode === 0;
  const before = await run();
  const verdicts: Verdict[] = [];
  const notRunning: string[] = [];
  for (const mutation of mutations) {
    if (!(await systemctl('--quiet', 'is-active', '--', mutation.unit))) {
      notRunning.push(mutation.unit);
      continue;
    }
    await systemctl('stop', '--', mutation.unit);
    verdicts.push(verdictOf(mutation, 'booted', before, await run(), false));
    await systemctl('start', '--', mutation.unit);
    if (!(await isAsBefore(run, before, ctx.signal))) return { verdicts, notRunning, lost: mutation.unit };
  }
  return { verdicts, notRunning };
}

async function isAsBefore(
  run: () => Promise<TestResult[]>,
  before: readonly TestResult[],
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + RECOVERY_MS;
  while ((await run()).some((result, i) => result.outcome !== before[i]?.outcome)) {
    if (performance.now() > deadline) return false;
    await delay(POLL_MS, undefined, { signal });
  }
  return true;
}

function verdictOf(
  { type, subject, change, attribute, origin }: Mutation,
  on: Verdict['on'],
  before: readonly TestResult[],
  after: readonly TestResult[],
  strict: boolean,
): Verdict {
  const by = after.find(
    (result, i) =>
      before[i]?.outcome === 'pass' &&
      // What can no longer be decided fails a strict run.
      (result.outcome === 'fail' || (strict && result.elsewhere !== undefined)),
  );
  const head = { type, subject, change, attribute, origin, on };
  if (!by) return { ...head, noticed: false };
  return { ...head, noticed: true, by: `${by.resourceType}: ${by.resourceId}: ${by.property}` };
}
