import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { asIngotError } from '../core/error.ts';
import type { Engine } from '../core/plugin.ts';
import { Scope } from '../core/scope.ts';
import type { FailureAnswer } from '../engine/environment.ts';
import type { ImageReport } from '../engine/report.ts';
import { runImage } from '../engine/run-image.ts';
import { formatLock, writeLock } from '../plan/lock-file.ts';
import type { PlannedStep } from '../plan/types.ts';
import { openLayerCache } from '../store/layer-cache.ts';
import { catalog } from './catalog.ts';
import { loadPlan, type Planned, planOrThrow, type TemplateOptions } from './load.ts';
import { maskingEmit } from './mask.ts';
import { recoverAll } from './recover.ts';
import { createRooms } from './rooms.ts';
import { type Deps, openSession, type Session } from './session.ts';

export interface BuildOptions extends TemplateOptions {
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
  /** Images built at once; 0: all. */
  readonly parallel?: number;
}

export interface BuildReport {
  readonly images: readonly ImageReport[];
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
  const images = await buildPlanned(planned, options, session);
  return {
    images,
    seconds: (performance.now() - began) / 1000,
    ok: images.every((i) => i.status === 'done'),
  };
}

/** Runs a good plan; writes the lock first, so that a build that fails half-way is repeated on the same inputs. */
export async function buildPlanned(
  planned: Planned,
  options: BuildOptions,
  session: Session,
): Promise<readonly ImageReport[]> {
  const plan = planOrThrow(planned, session);
  if (planned.lockText !== formatLock(planned.lock)) await writeLock(planned.lockPath, planned.lock);

  const emit = maskingEmit(session.emit, plan.secrets);
  const cache = await openLayerCache({ dir: session.paths.cacheDir, host: session.host });
  await using scope = new Scope();
  const staging = join(session.paths.cacheDir, 'tmp');
  const work = scope.use(await session.host.scratch(staging, 'build-'), "the build's folder");
  const environment = {
    rooms: createRooms(session.paths),
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
    ...(options.beforeStep && { beforeStep: options.beforeStep }),
    onFailure: async (step: PlannedStep, error: Error): Promise<FailureAnswer> => {
      if (options.onError === 'ask' && options.ask) return await options.ask(step, error);
      const { onError = 'cleanup' } = options;
      return onError === 'ask' ? 'cleanup' : onError;
    },
    onLeft: (inspect: string | undefined): void => {
      emit({ type: 'message', level: 'warning', text: leftText(inspect) });
      // Its lease stays with those of the machine; whoever recovers them takes it away.
      if (inspect !== undefined) scope.move();
    },
  };
  return await inParallel(plan.images, options.parallel || plan.images.length, (image) =>
    runImage(image, environment),
  );
}

function leftText(inspect: string | undefined): string {
  return inspect === undefined
    ? 'no machine was running, so nothing is left to look at'
    : `the machine is left as it was when the step failed; look inside with
  ${inspect}
and take it away with \`ingot clean\` (the next build does so, too)`;
}

/** Runs all, `limit` at once; the failure of one does not end the others, and is thrown when all have ended. */
async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  const queue = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, item] = next;
      try {
        results[index] = await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length === 0) return results;
  if (failures.length === 1) throw failures[0];
  throw new AggregateError(failures, failures.map((f) => asIngotError(f).message).join('; '));
}
