import type { Digest, Json } from '../core/digest.ts';
import type { IngotError } from '../core/error.ts';
import type { StepStatus } from '../core/event.ts';
import { layerFile } from '../core/layer.ts';
import type { Lock } from '../core/lock.ts';
import type { TestOutcome } from '../plan/catalog.ts';
import type { ImagePlan, PlannedStep } from '../plan/types.ts';
import type { OutputRecord, ReleaseRecord } from './environment.ts';
import type { ImageState } from './image-state.ts';

/** How a step ended, and when, in seconds from the start of the build. */
export interface StepRecord {
  readonly status: StepStatus;
  readonly start: number;
  readonly seconds: number;
  readonly detail?: string;
}

/** Everything that is known of the build of an image, for its evidence. May hold secret values. */
export interface BuildRecord {
  readonly image: ImagePlan;
  readonly lock: Lock;
  readonly started: Date;
  readonly seconds: number;
  readonly steps: readonly {
    readonly step: PlannedStep;
    readonly end?: StepRecord;
    readonly result?: Json;
  }[];
  readonly tests: ReadonlyMap<Digest, TestOutcome>;
  readonly outputs: readonly (OutputRecord & { readonly path: string })[];
  readonly release?: ReleaseRecord;
  /** What ended the build. */
  readonly error?: IngotError;
}

/** What is known now. */
export function recordOf(state: ImageState, error?: IngotError): BuildRecord {
  const { image, env, release } = state;
  return {
    image,
    lock: env.lock,
    started: state.started,
    seconds: state.seconds(),
    steps: image.steps.map((step) => {
      const end = state.ended.get(step.label);
      const result = state.resultOf(step);
      return { step, ...(end && { end }), ...(result !== undefined && { result }) };
    }),
    tests: state.tests,
    outputs: releasable(state),
    ...(release && { release }),
    ...(error && { error }),
  };
}

/** The outputs as they lie in the cache, of those that are written. */
function releasable(state: ImageState): BuildRecord['outputs'] {
  return state.stepsOf('output').flatMap((step) => {
    const layer = state.layers.get(step.id);
    if (!layer) return [];
    const record = layer.result as unknown as OutputRecord;
    return [{ ...record, path: layerFile(layer, record.fileName) }];
  });
}
