import { asIngotError, firstError, type IngotError } from '../core/error.ts';
import type { StepStatus } from '../core/event.ts';
import { explainSystemError } from '../core/system-error.ts';
import type { PlannedStep } from '../plan/types.ts';
import type { FailureAnswer } from './environment.ts';
import { provision } from './filesystem-steps.ts';
import type { ImageState } from './image-state.ts';

/** What became of a step; `ok` false is a verdict, not an error. */
export interface StepEnd {
  readonly ok: boolean;
  readonly status?: StepStatus;
  readonly detail?: string;
}

/** Runs a step between its start and end events; on failure asks what to do. */
export async function runStep(
  step: PlannedStep,
  state: ImageState,
  work: () => Promise<StepEnd>,
): Promise<boolean> {
  const { env } = state;
  for (;;) {
    env.signal.throwIfAborted();
    await env.beforeStep?.(step);
    const began = performance.now();
    const seconds = (): number => (performance.now() - began) / 1000;
    startStep(step, state);
    try {
      const { ok, status, detail } = await work();
      if (status !== 'cached') state.ran++;
      endStep(step, state, ok ? (status ?? 'done') : 'failed', seconds(), detail);
      return ok;
    } catch (thrown) {
      if (env.signal.aborted) {
        endStep(step, state, 'cancelled', seconds());
        throw thrown;
      }
      const error = explainSystemError(thrown, { place: `the cache ${env.cacheDir}` }).at({
        step: step.label,
        ...(step.origin && { range: step.origin }),
      });
      tellUnreleased(step, thrown, state);
      endStep(step, state, 'failed', seconds(), error.message);
      if ((await answerFailure(step, error, state)) === 'retry') continue;
      throw error;
    }
  }
}

export function startStep(step: PlannedStep, { env }: ImageState): void {
  env.emit({
    type: 'step:start',
    step: step.label,
    kind: step.spec.kind,
    id: step.id,
    title: step.title,
  });
}

export function endStep(
  step: PlannedStep,
  state: ImageState,
  status: StepStatus,
  seconds: number,
  detail?: string,
): void {
  const start = Math.max(0, state.seconds() - seconds);
  state.ended.set(step.label, { status, start, seconds, ...(detail !== undefined && { detail }) });
  state.env.emit({
    type: 'step:end',
    step: step.label,
    status,
    seconds,
    ...(detail !== undefined && { detail }),
  });
}

/** That something could not be given back is told too, and never hides what went wrong first. */
function tellUnreleased(step: PlannedStep, thrown: unknown, { env }: ImageState): void {
  for (const failure of firstError(thrown).later) {
    const diagnostic = asIngotError(failure).at({ step: step.label }).toDiagnostic();
    env.emit({ type: 'diagnostic', diagnostic: { ...diagnostic, severity: 'warning' } });
  }
}

async function answerFailure(
  step: PlannedStep,
  error: IngotError,
  state: ImageState,
): Promise<FailureAnswer> {
  const { env, image, slot } = state;
  const answer = await env.onFailure(step, error);
  const hasCleanup = step.spec.kind === 'provisioner' && image.errorCleanup && slot.current;
  if (answer === 'retry') {
    // Layers bring back the state before the step; a machine without any goes on as it is.
    if (image.produces === 'rootfs') await slot.reset();
    return answer;
  }
  if (answer !== 'abort' && hasCleanup) await cleanUpAfter(image.errorCleanup, state);
  if (answer !== 'cleanup') {
    state.left = true;
    env.onLeft(await slot.leave());
  }
  return answer;
}

/** The error-cleanup provisioner; that it fails too is told, and the first error stands. */
async function cleanUpAfter(step: PlannedStep, state: ImageState): Promise<void> {
  const machine = state.slot.current;
  if (!machine) return;
  try {
    await provision(step, machine, state);
  } catch (thrown) {
    const diagnostic = {
      ...asIngotError(thrown).at({ step: step.label }).toDiagnostic(),
      severity: 'warning' as const,
    };
    state.env.emit({ type: 'diagnostic', diagnostic });
  }
}
