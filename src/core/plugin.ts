import type { Artifact } from './artifact.ts';
import type { BodySpec } from './body-spec.ts';
import type { Context } from './context.ts';
import type { Json } from './digest.ts';
import type { Layer, LayerChain } from './layer.ts';
import type { Lock } from './lock.ts';
import type { Machine } from './machine.ts';
import type { Rootfs } from './rootfs.ts';

/** What every kind of plugin has. Plugins are listed explicitly in app/catalog.ts. */
export interface Plugin<O = unknown> {
  /** As named in the template. */
  readonly type: string;
  /** Hashed into every step of this type: bump it when the output changes. */
  readonly version: number;
  schema(): Promise<BodySpec>;
  /** Files and folders on the host that the options make the step read, relative to the template's folder. Hashed. */
  files?(options: O, templateDir: string): readonly string[];
  /** Those that the build itself makes before it comes to the step: hashed then. */
  lateFiles?(options: O): readonly string[];
}

/** What pinning answers: the options with every outside input resolved, and what must be in the lock. */
export interface Pinned<O> {
  /** Hashed in place of the options as written. No mirror's URL in here. */
  readonly options: O;
  /** Key into the lock, and the lock entry that these options stand on. */
  readonly lockKey?: string;
  /** What of the outside enters the digest beside the options as written; for sources whose options hold more than what makes the image. */
  readonly hashed?: Json;
  /** Files of this machine that the image starts from: no output may take their place. Absolute. */
  readonly startsFrom?: readonly string[];
}

/** What provisioners run in, where a source leaves the choice. */
export const ENGINES = ['vm', 'container'] as const;
export type Engine = (typeof ENGINES)[number];

export interface PinContext extends Omit<Context, 'epoch'> {
  readonly lock: Lock;
  /** One of the source's `engines`. */
  readonly engine?: Engine;
  /** `use`: what is locked, else resolve and add. `locked`: refuse to add. `update`: resolve anew. */
  readonly mode: 'use' | 'locked' | 'update';
}

/** What a machine takes of this host while it runs. */
export interface MachineNeeds {
  /** Bytes. */
  readonly memory: number;
  readonly cpus: number;
}

export interface Source<O = unknown> extends Plugin<O> {
  /** What an image from here is: layers of a filesystem that we assemble into disks, or files as they are. */
  readonly produces: 'rootfs' | 'files';
  /** Of a rootfs: `qcow2` where its layers are those of a whole disk, which brings its own boot loader. */
  readonly layers?: 'overlay' | 'qcow2';
  /** What is written where no image file says so: the template's own words. `name`: that of the source. */
  output?(options: O, name: string): OwnOutput;
  /** The engines that it can be built with; the first is the default. */
  readonly engines?: readonly Engine[];
  /** Resolves every input from outside into the lock (mutates `ctx.lock`). Cheap when the lock has it already. */
  pin(options: O, ctx: PinContext): Promise<Pinned<O>>;
  /**
   * A machine to provision in. Without `base` the source makes the first filesystem (the engine snapshots it as
   * the source's own layer); with `base` it starts on these layers. `memory` (kind `vm-state`) was kept when the uppermost
   * of them was made: a machine that can goes on there.
   */
  start(options: O, base: LayerChain | undefined, ctx: Context, memory?: Layer): Promise<Machine>;
  /** What its machine takes of this host; default: for a filesystem what a container takes, for files nothing. */
  needs?(options: O): MachineNeeds;
  /** Which locked inputs have newer versions outside (`ingot outdated`). */
  outdated?(options: O, ctx: PinContext): Promise<readonly OutdatedInput[]>;
}

/** The output that a template itself asks for, as Packer's builders write one. */
export interface OwnOutput {
  /** Type and options of an output block. */
  readonly format: string;
  readonly options: Readonly<Record<string, Json>>;
  /** As all paths of a template; default `output-NAME`. */
  readonly directory?: string;
  readonly fileName?: string;
}

export interface OutdatedInput {
  readonly name: string;
  readonly locked: string;
  readonly available: string;
  /** The update comes from a security suite. */
  readonly security: boolean;
}

/** Stored with the layer and replayed on a hit. */
export interface StepResult {
  /** One line for the report, such as `changed 3, ok 7`. */
  readonly summary?: string;
  readonly data?: Json;
}

export interface Provisioner<O = unknown> extends Plugin<O> {
  /** Runs on the host (shell-local): never cached, since its effects are not in the layer. */
  readonly onHost?: boolean;
  /** What it runs is told the name and type of the build's source, as Packer does, so that both are part of the digest. */
  readonly tellsBuild?: boolean;
  provision(machine: Machine, options: O, ctx: Context): Promise<StepResult>;
}

export interface PostProcessor<O = unknown> extends Plugin<O> {
  process(artifact: Artifact, options: O, ctx: Context): Promise<Processed>;
}

/** What a post-processor answers. */
export interface Processed {
  readonly artifact: Artifact;
  /** Whether the input's files stay, where the template does not say. */
  readonly keep: boolean;
  /** They stay whatever the template says: the answer stands on them. */
  readonly mustKeep?: boolean;
}

export interface DataSource<O = unknown> extends Plugin<O> {
  read(options: O, ctx: Context): Promise<Json>;
}

/** One thing that a seal operation removed or rewrote. */
export interface Removed {
  readonly path: string;
  /** `removed`, `emptied`, `rewritten`, `added`. */
  readonly action: 'removed' | 'emptied' | 'rewritten' | 'added';
  readonly files: number;
  readonly bytes: number;
  readonly detail?: string;
}

export interface SealOperation {
  readonly name: string;
  /** One sentence: what it removes, and why. */
  readonly doc: string;
  /** Hashed; bump when what it does changes. */
  readonly version: number;
  offline?(root: Rootfs, ctx: Context): Promise<Removed[]>;
  online?(machine: Machine, ctx: Context): Promise<Removed[]>;
}
