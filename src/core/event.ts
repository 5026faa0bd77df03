import type { Artifact } from './artifact.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Digest } from './digest.ts';

/** How a step ended. `cached` means that nothing ran. */
export type StepStatus = 'done' | 'cached' | 'failed' | 'skipped' | 'cancelled';

export type CheckStatus = 'passed' | 'failed' | 'skipped';

/**
 * Everything that the rooms say to the outside. Nothing below `reporters` prints.
 * `step` is a step's label (`mmdebstrap.web/shell[0]`), unique in one run; secrets are masked before an
 * event is emitted.
 */
export type BuildEvent =
  | { type: 'build:start'; image: string; version: string; steps: readonly { step: string; kind: string }[] }
  | {
      /** It begins when others have ended. */
      type: 'build:wait';
      image: string;
      /** What is short: builds at once, bytes of memory, or processors. */
      for: 'builds' | 'memory' | 'cpus';
      needs: number;
      taken: number;
      of: number;
    }
  | { type: 'build:end'; image: string; status: 'done' | 'failed'; seconds: number }
  | { type: 'step:start'; step: string; kind: string; id: Digest; title: string }
  | { type: 'step:log'; step: string; stream: 'stdout' | 'stderr' | 'note'; line: string }
  | {
      type: 'step:progress';
      step: string;
      done: number;
      total?: number;
      unit: 'bytes' | 'items';
      what?: string;
    }
  | { type: 'step:end'; step: string; status: StepStatus; seconds: number; detail?: string }
  | {
      type: 'check:result';
      step: string;
      name: string;
      status: CheckStatus;
      message?: string;
      seconds?: number;
      /** The test did not run: this is what it said when it did. */
      cached?: true;
    }
  | {
      type: 'artifact';
      step: string;
      name: string;
      format: string;
      path: string;
      digest: Digest;
      size: number;
    }
  | {
      type: 'build:artifact';
      image: string;
      artifact: Pick<Artifact, 'builderId' | 'id' | 'files' | 'description'>;
    }
  | { type: 'release'; name: string; version: string; digest: Digest; store: string }
  | { type: 'diagnostic'; diagnostic: Diagnostic }
  | { type: 'message'; level: 'info' | 'warning'; text: string };

export type Emit = (event: BuildEvent) => void;
