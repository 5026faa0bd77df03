import type { FileDescriptor } from '../core/descriptor.ts';
import type { SourceRange } from '../core/diagnostic.ts';
import { type Digest, digestOf, type Json } from '../core/digest.ts';
import type { NamedSecret } from '../core/named-secret.ts';
import type { MachineNeeds } from '../core/plugin.ts';

/** What a step does; each kind has one runner in the engine. */
export type StepKind =
  | 'source'
  | 'provisioner'
  /** The end of a machine whose artifact is files. */
  | 'artifact'
  /** The end of a machine that has run: its disk as it is when it is off. */
  | 'shutdown'
  | 'boot-config'
  | 'first-boot'
  | 'stamp'
  | 'seal'
  | 'disk'
  | 'output'
  | 'test'
  | 'post-processor'
  | 'release';

/** Everything that a step's result depends on, as plain data. Its digest is the step's identity. */
export interface StepSpec {
  readonly kind: StepKind;
  readonly type: string;
  /** The plugin's own version. */
  readonly version: number;
  /** Options after interpolation; sensitive parts as name + HMAC, unknown parts as their expression. */
  readonly options: Json;
  /** Steps that this one stands on. */
  readonly inputs: readonly Digest[];
  /** Host files that the step reads. */
  readonly files: readonly FileDescriptor[];
  /** SOURCE_DATE_EPOCH that the step runs with. */
  readonly epoch: number;
  /** What the step is told of its build. */
  readonly build?: { readonly type: string; readonly name: string };
  /** Its layer may be what a failure left, which is no layer of a step that has to succeed. */
  readonly continueOnError?: true;
}

/** How a step is run; never what it makes, so none of this is hashed. */
export interface StepMeta {
  readonly pauseBeforeMs?: number;
  readonly timeoutMs?: number;
  readonly maxRetries?: number;
  readonly continueOnError?: boolean;
}

/** A step, its place in the graph, and the values that only exist in memory. */
export interface PlannedStep {
  readonly id: Digest;
  readonly spec: StepSpec;
  /** Unique in the plan: `web/shell[1]`. */
  readonly label: string;
  /** What a person reads: `shell harden.sh`. */
  readonly title: string;
  readonly origin?: SourceRange;
  /** Decoded options with real (also secret) values; never printed. */
  readonly options: unknown;
  /** Host paths that `spec.files` describes. */
  readonly reads?: readonly string[];
  /** The build may make or change what it reads: it gets another digest then, when its turn comes. */
  readonly late?: true;
  /** For options that hold `build.*`: decodes them again with what the machine generated. */
  readonly resolve?: (generated: ReadonlyMap<string, string | number | boolean>) => unknown;
  readonly meta: StepMeta;
  /** Steps that must have ended before, without entering the digest (shell-local and what follows it). */
  readonly after: readonly Digest[];
  /** Of a post-processor: in one chain, each takes what the one before it made. */
  readonly chain?: { readonly index: number; readonly keepInput?: boolean };
  /** False: runs every time (effects outside of layers). */
  readonly cacheable: boolean;
  /** Why its result may differ from run to run, for plan and evidence. */
  readonly volatile?: string;
}

/** One image: a source with everything that follows, in an order in which inputs come first. */
export interface ImagePlan {
  readonly name: string;
  readonly version: string;
  /** `type.name` of the source, as `-only` selects it (with the build's name in front, where it has one). */
  readonly build: string;
  readonly source: { readonly type: string; readonly name: string };
  /** What comes out: a filesystem in layers, or files as they are. */
  readonly produces: 'rootfs' | 'files';
  /** What its machine takes of this host: builds run side by side as far as there is room. */
  readonly needs: MachineNeeds;
  readonly epoch: number;
  readonly steps: readonly PlannedStep[];
  /** Runs in the machine when a provisioner has failed. */
  readonly errorCleanup?: PlannedStep;
  /** What every output and the release say about themselves. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Folder on the host that the outputs are put into. */
  readonly outputDir: string;
}

export interface Plan {
  readonly images: readonly ImagePlan[];
  /** To mask in everything that is shown. */
  readonly secrets: readonly NamedSecret[];
  readonly templateDir: string;
}

/** A step with its identity. */
export function planStep(step: Omit<PlannedStep, 'id'>): PlannedStep {
  return { ...step, id: digestOf(step.spec) };
}

/** The same steps, where `changed` reads `files` now: it and all that stand on it have other identities. */
export function withFiles(
  steps: readonly PlannedStep[],
  changed: PlannedStep,
  files: readonly FileDescriptor[],
): PlannedStep[] {
  const ids = new Map<Digest, Digest>();
  const now = (id: Digest): Digest => ids.get(id) ?? id;
  return steps.map((step) => {
    const spec = {
      ...step.spec,
      inputs: step.spec.inputs.map(now),
      ...(step === changed && { files }),
    };
    const next = planStep({ ...step, spec, after: step.after.map(now) });
    ids.set(step.id, next.id);
    return next;
  });
}

/** The plan as data for `--json` and golden files: what would run, on what, without any secret. */
export function planToJson(plan: Plan): Json {
  return {
    version: 1,
    images: plan.images.map((image) => ({
      name: image.name,
      version: image.version,
      build: image.build,
      needs: { memory: image.needs.memory, cpus: image.needs.cpus },
      epoch: image.epoch,
      annotations: image.annotations,
      steps: image.steps.map((step) => ({
        id: step.id,
        label: step.label,
        title: step.title,
        kind: step.spec.kind,
        type: step.spec.type,
        version: step.spec.version,
        options: step.spec.options,
        inputs: step.spec.inputs,
        files: step.spec.files.map((f) => ({ path: f.path, digest: f.digest, mode: f.mode, size: f.size })),
        cacheable: step.cacheable,
        ...(step.late && { late: true }),
        ...(step.volatile !== undefined && { volatile: step.volatile }),
      })),
    })),
  };
}
