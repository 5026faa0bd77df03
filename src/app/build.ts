import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { asIngotError, type IngotError } from '../core/error.ts';
import type { LeftMachine } from '../core/machine.ts';
import type { Engine } from '../core/plugin.ts';
import { Scope } from '../core/scope.ts';
import { type Budget, runAdmitted } from '../engine/admission.ts';
import type { FailureAnswer } from '../engine/environment.ts';
import { Flights } from '../engine/flights.ts';
import type { BuildRecord } from '../engine/record.ts';
import type { ImageReport } from '../engine/report.ts';
import { runImage } from '../engine/run-image.ts';
import { formatLock, writeLock } from '../plan/lock-file.ts';
import type { ImagePlan, PlannedStep } from '../plan/types.ts';
import { openLayerCache } from '../store/layer-cache.ts';
import { catalog } from './catalog.ts';
import { EvidenceKeeper, type EvidenceUse } from './keep-evidence.ts';
import { loadPlan, type Planned, planOrThrow, type TemplateOptions } from './load.ts';
import { maskError } from './mask.ts';
import { recoverAll } from './recover.ts';
import { createRooms } from './rooms.ts';
import { type Deps, openSession, type Session } from './session.ts';

export interface BuildOptions extends TemplateOptions, EvidenceUse {
  readonly locked?: boolean;
  readonly force?: boolean;
  readonly outputDir?: string;
  /** `--engine`: for sources that leave the choice. */
  readonly engine?: Engine;
  readonly onError?: 'cleanup' | 'abort' | 'ask' | 'run-cleanup-provisioner';
  /** Called before each step (`-debug`). */
  readonly beforeStep?: (step: PlannedStep) => Promise<void>;
  /** Asks the user, for `onError: 'ask'`. */
  readonly ask?: (step: PlannedStep, error: Error) => Promise<FailureAnswer>;
  /** Images built at once; 0: as many as there is room for. */
  readonly parallel?: number;
  /** Bytes of memory that all machines may take together; default: what is available. */
  readonly maxMemory?: number;
  /** Processors that all machines may take together; default: those of this host. */
  readonly maxCpus?: number;
}

/** Some images failed; the others were built. */
export class BuildsFailed extends AggregateError {
  readonly images: readonly ImageReport[];

  constructor(failures: readonly unknown[], images: readonly ImageReport[]) {
    super(failures, failures.map((f) => asIngotError(f).message).join('; '));
    this.images = images;
  }
}

/** What became of an image, and where its evidence was written. */
export type BuiltImage = ImageReport & { readonly evidence?: string };

/** A report that says where the evidence is. */
export function withEvidence(image: ImageReport, { paths }: EvidenceKeeper): BuiltImage {
  const evidence = paths.get(image.name);
  return { ...image, ...(evidence !== undefined && { evidence }) };
}

export interface BuildReport {
  readonly images: readonly BuiltImage[];
  readonly seconds: number;
  /** False when a test said no. */
  readonly ok: boolean;
}

/** `ingot build`: plan, build what the cache lacks, test, release. */
export async function build(options: BuildOptions, deps: Deps): Promise<BuildReport> {
  const began = performance.now();
  const session = openSession(deps);
  await recoverAll(session.paths);
  const planned = await loadPlan(
    { ...options, mode: options.locked ? 'locked' : 'use', toRun: true },
    catalog,
    session,
  );
  const keeper = new EvidenceKeeper(session, options, true);
  const images = await keeper.around(() => buildPlanned(planned, options, session, keeper.take));
  return {
    images: images.map((image) => withEvidence(image, keeper)),
    seconds: (performance.now() - began) / 1000,
    ok: images.every((i) => i.status === 'done'),
  };
}

/** Runs a good plan; writes the lock first, so that a build that fails half-way is repeated on the same inputs. */
export async function buildPlanned(
  planned: Planned,
  options: BuildOptions,
  session: Session,
  onRecord?: (record: BuildRecord) => void,
): Promise<readonly ImageReport[]> {
  const plan = planOrThrow(planned, session);
  if (planned.lockText !== formatLock(planned.lock)) await writeLock(planned.lockPath, planned.lock);

  for (const { value } of plan.secrets) session.mask.add(value);
  const { emit } = session;
  const cache = await openLayerCache({ dir: session.paths.cacheDir, host: session.host });
  // The first layer of an id stays: what this run makes again must find none. Those of a build that runs now stay.
  if (options.force) await cache.remove(plan.images.flatMap(({ steps }) => steps.map((s) => s.id)));
  await using scope = new Scope();
  const staging = join(session.paths.cacheDir, 'tmp');
  const work = scope.use(await session.host.scratch(staging, 'build-'), "the build's folder");
  const environment = {
    rooms: createRooms(session.paths, session.mask),
    cache,
    host: session.host,
    clock: session.clock,
    secrets: session.secrets,
    emit,
    signal: session.signal,
    workDir: work.dir,
    cacheDir: session.paths.cacheDir,
    templateDir: planned.templateDir,
    lock: planned.lock,
    force: options.force ?? false,
    runUuid: randomUUID(),
    flights: new Flights(),
    ...(onRecord && { onRecord }),
    ...(options.beforeStep && { beforeStep: options.beforeStep }),
  };
  // `-on-error=abort`: the failure of one image ends the others.
  const others = new AbortController();
  const buildOne = async (image: ImagePlan): Promise<ImageReport> => {
    let abort = false;
    try {
      return await runImage(image, {
        ...environment,
        signal: AbortSignal.any([session.signal, others.signal]),
        onFailure: async (step, error) => {
          const answer = await answerOf(step, maskError(error, session.mask) as IngotError, options);
          abort ||= answer === 'abort';
          return answer;
        },
        onLeft: (left) => {
          emit({ type: 'message', level: 'warning', text: `${image.name}: ${leftText(left)}` });
          // Its lease stays with those of the machine; whoever recovers them takes it away.
          if (left && left.fate === undefined) scope.move();
        },
      });
    } catch (error) {
      if (others.signal.aborted && !abort) throw new Stopped();
      if (abort) others.abort();
      throw maskError(error, session.mask);
    }
  };
  const results = await runAdmitted(plan.images, budgetOf(options, plan.images.length), {
    needs: (image) => image.needs,
    work: buildOne,
    onWait: (image, shortage) => emit({ type: 'build:wait', image: image.name, ...shortage }),
    stopped: () => others.signal.aborted || session.signal.aborted,
  });
  session.signal.throwIfAborted();
  return reportsOf(results);
}

/** The image was ended because another one failed, which is the error to tell. */
class Stopped extends Error {}

async function answerOf(
  step: PlannedStep,
  error: IngotError,
  { onError = 'cleanup', ask }: BuildOptions,
): Promise<FailureAnswer> {
  if (onError !== 'ask') return onError;
  return ask ? await ask(step, error) : 'cleanup';
}

function budgetOf({ parallel, maxMemory, maxCpus }: BuildOptions, images: number): Budget {
  return {
    builds: parallel || images,
    memory: maxMemory ?? process.availableMemory(),
    cpus: maxCpus ?? availableParallelism(),
  };
}

/** The reports of all images, or what failed with the reports of the others. */
function reportsOf(results: readonly (PromiseSettledResult<ImageReport> | undefined)[]): ImageReport[] {
  const images = results.flatMap((r) => (r?.status === 'fulfilled' ? [r.value] : []));
  const failures = results.flatMap((r): unknown[] => {
    if (r?.status !== 'rejected' || r.reason instanceof Stopped) return [];
    return r.reason instanceof AggregateError ? r.reason.errors : [r.reason];
  });
  if (failures.length === 0) return images;
  if (failures.length === 1 && results.length === 1) throw failures[0];
  throw new BuildsFailed(failures, images);
}

function leftText(left: LeftMachine | undefined): string {
  return left === undefined
    ? 'no machine was running, so nothing is left to look at'
    : `the machine is left as it was when the step failed; look inside with
  ${left.look}
${left.fate ?? 'and take it away with `ingot clean` (the next build does so, too)'}`;
}
