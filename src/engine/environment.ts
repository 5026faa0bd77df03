import type { Clock } from '../core/clock.ts';
import type { ContainerSettings } from '../core/container-settings.ts';
import type { Context, SecretResolver } from '../core/context.ts';
import type { Digest, Json } from '../core/digest.ts';
import type { IngotError } from '../core/error.ts';
import type { Emit } from '../core/event.ts';
import type { Host } from '../core/host.ts';
import type { LayerCache, LayerChain, LayerKind, StagedLayer } from '../core/layer.ts';
import type { Lock } from '../core/lock.ts';
import type { ExecResult, LeftMachine } from '../core/machine.ts';
import type { PostProcessor, Provisioner, Source } from '../core/plugin.ts';
import type { Rootfs } from '../core/rootfs.ts';
import type {
  DiskStepOptions,
  EarlierTest,
  OutputStepOptions,
  ReleaseStepOptions,
  TestOutcome,
} from '../plan/catalog.ts';
import type { ImagePlan, PlannedStep } from '../plan/types.ts';
import type { Flights } from './flights.ts';
import type { RawDisks } from './raw-disks.ts';
import type { BuildRecord } from './record.ts';

/** Runs a command in a container on the filesystem that an offline step works on. */
export type RootfsExec = (argv: readonly string[], onLine?: (line: string) => void) => Promise<ExecResult>;

/** A writable view of a chain. */
export interface WritableView extends AsyncDisposable {
  readonly root: Rootfs;
  readonly exec: RootfsExec;
  /** Of a disk image: which one it is, and when it was taken (nanoseconds since 1970): before any build wrote to it. */
  readonly origin?: { readonly id: string; readonly takenNs: bigint };
  /** Unmounts, clamps times to the epoch where it can, and moves what was written into a staged layer; answers its kind. */
  moveTo(layer: Pick<StagedLayer, 'dir'>): Promise<LayerKind>;
}

/** A file that an output step wrote, as stored in its layer's result. */
export interface OutputRecord {
  readonly format: string;
  readonly fileName: string;
  readonly digest: Digest;
  readonly size: number;
  readonly virtualSize?: number;
}

export interface ExportRequest {
  readonly options: OutputStepOptions;
  readonly target: string;
  /** Where `target` will lie when its layer is committed. */
  readonly keptAs: string;
}

export interface ExportInput {
  /** `facts`: what the disk step said of it. `chain`: of a disk image, the layers that it consists of. */
  readonly disk?: {
    readonly facts: Json;
    readonly chain?: LayerChain;
    /** The disk as one raw file; written first where there is none yet. */
    raw(): Promise<string>;
  };
  readonly rootfs?: {
    readonly chain: LayerChain;
    readonly dir: string;
    readonly settings?: ContainerSettings;
  };
  readonly lock: Lock;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a test looks at: the raw disk or the mounted filesystem, and what tests before it answered. */
export interface TestSubject {
  readonly disk?: string;
  /** What the disk step said of the disk. */
  readonly facts?: Json;
  readonly dir?: string;
  readonly tests?: readonly EarlierTest[];
}

export interface ReleaseInput {
  readonly options: ReleaseStepOptions;
  /** The build up to here: its outputs, and what speaks for them. */
  readonly record: BuildRecord;
}

export interface ReleaseRecord {
  readonly digest: Digest;
  readonly store: string;
  /** The very same release was there already. */
  readonly existed: boolean;
}

/** What the steps are made of; app/catalog.ts wires the rooms in. */
export interface Rooms {
  readonly sources: ReadonlyMap<string, Source<never>>;
  readonly provisioners: ReadonlyMap<string, Provisioner<never>>;
  readonly postProcessors: ReadonlyMap<string, PostProcessor<never>>;
  openView(chain: LayerChain, ctx: Context): Promise<AsyncDisposable & { readonly dir: string }>;
  openWritable(chain: LayerChain, ctx: Context): Promise<WritableView>;
  bootConfig(view: WritableView, options: DiskStepOptions, ctx: Context): Promise<Json>;
  firstBoot(view: WritableView, options: unknown, ctx: Context): Promise<Json>;
  stamp(view: WritableView, options: unknown, ctx: Context): Promise<Json>;
  seal(view: WritableView, options: unknown, ctx: Context): Promise<Json>;
  /** Searches layers for what `seal` with these options will search them for, and remembers what is clean. */
  searchAhead(chain: LayerChain, options: unknown, ctx: Context): Promise<void>;
  /** Writes the raw disk of a filesystem and answers facts about it; of a disk image there is nothing to write. */
  assembleDisk(
    chain: LayerChain,
    options: DiskStepOptions,
    target: string,
    lock: Lock,
    ctx: Context,
  ): Promise<Json>;
  /** A disk image's layers as one raw file. */
  flattenDisk(chain: LayerChain, target: string, ctx: Context): Promise<void>;
  exportOutputs(
    input: ExportInput,
    requests: readonly ExportRequest[],
    ctx: Context,
  ): Promise<OutputRecord[]>;
  test(type: string, subject: TestSubject, options: unknown, ctx: Context): Promise<TestOutcome>;
  release(input: ReleaseInput, ctx: Context): Promise<ReleaseRecord>;
}

/**
 * What to do about a failed step: clean up, leave everything as it is, leave it after the error-cleanup provisioner
 * has run, or try the step again.
 */
export type FailureAnswer = 'cleanup' | 'abort' | 'run-cleanup-provisioner' | 'retry';

export interface EngineEnvironment {
  readonly rooms: Rooms;
  readonly cache: LayerCache;
  readonly host: Host;
  readonly clock: Clock;
  readonly secrets: SecretResolver;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly workDir: string;
  readonly cacheDir: string;
  readonly templateDir: string;
  readonly lock: Lock;
  /** `-force`: run every step, whatever the cache has. */
  readonly force: boolean;
  /** One UUID for all builds of a run. */
  readonly runUuid: string;
  /** Shared by the builds of a run. */
  readonly flights: Flights;
  /** Called before each step, such as to ask whether to go on (`-debug`). */
  readonly beforeStep?: (step: PlannedStep) => Promise<void>;
  onFailure(step: PlannedStep, error: IngotError): Promise<FailureAnswer>;
  /** The answer was `abort`. `left`: the machine that was let go of, if one is. */
  onLeft(left: LeftMachine | undefined): void;
  /** Called when the build has ended, however it did. */
  onRecord?(record: BuildRecord): void;
}

/** The state of one image while it is built. */
export interface ImageRun {
  readonly image: ImagePlan;
  readonly env: EngineEnvironment;
  readonly rawDisks: RawDisks;
}

/** The context of one step. */
export function contextOf(run: ImageRun, step: PlannedStep, signal: AbortSignal = run.env.signal): Context {
  const { env, image } = run;
  return {
    build: { ...image.source, runUuid: env.runUuid },
    signal,
    emit: env.emit,
    step: step.label,
    host: env.host,
    clock: env.clock,
    secrets: env.secrets,
    workDir: env.workDir,
    cacheDir: env.cacheDir,
    epoch: image.epoch,
    templateDir: env.templateDir,
    ...(env.beforeStep && { debug: true }),
  };
}
