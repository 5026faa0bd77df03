import type { Digest, Json } from '../core/digest.ts';
import type { TestOutcome } from '../plan/catalog.ts';
import type { Artifact } from '../core/artifact.ts';
import type { StepResult } from '../core/plugin.ts';
import type { ReleaseRecord } from './environment.ts';
import type { ImageState } from './image-state.ts';

export interface OutputReport {
  readonly format: string;
  readonly path: string;
  readonly digest: Digest;
  /** Bytes of the file. */
  readonly size: number;
}

export interface ProvisionerReport extends StepResult {
  readonly label: string;
  readonly type: string;
}

/** What became of one image. */
export interface ImageReport {
  readonly name: string;
  readonly version: string;
  readonly status: 'done' | 'failed';
  readonly outputs: readonly OutputReport[];
  /** What builder and post-processors left. */
  readonly artifacts: readonly Pick<Artifact, 'builderId' | 'id' | 'files' | 'description'>[];
  readonly tests: readonly { readonly label: string; readonly type: string; readonly outcome: TestOutcome }[];
  /** What provisioners said of their work, now or when the cached layer was made. */
  readonly provisioners: readonly ProvisionerReport[];
  readonly release?: ReleaseRecord;
  readonly steps: { readonly total: number; readonly cached: number; readonly ran: number };
  readonly seconds: number;
}

/** The report of an image whose jobs have ended. */
export function reportOf(
  state: ImageState,
  status: 'done' | 'failed',
  artifacts: readonly Artifact[],
  seconds: number,
): ImageReport {
  const { image, outputs, release, ran } = state;
  return {
    name: image.name,
    version: image.version,
    status,
    outputs,
    artifacts: artifacts.map(({ builderId, id, files, description }) => ({
      builderId,
      id,
      files,
      description,
    })),
    tests: state.stepsOf('test').flatMap((s) => {
      const outcome = state.tests.get(s.id);
      return outcome ? [{ label: s.label, type: s.spec.type, outcome }] : [];
    }),
    provisioners: state.stepsOf('provisioner').flatMap((s) => {
      const result = resultOf(state.resultOf(s));
      return result?.summary === undefined ? [] : [{ label: s.label, type: s.spec.type, ...result }];
    }),
    ...(release && { release }),
    steps: { total: image.steps.length, ran, cached: image.steps.length - ran },
    seconds,
  };
}

/** A provisioner's result, as its layer keeps it. */
function resultOf(result: Json | undefined): StepResult | undefined {
  return typeof result === 'object' && result !== null && !Array.isArray(result)
    ? (result as StepResult)
    : undefined;
}
