import type { Clock } from './clock.ts';
import type { Emit } from './event.ts';
import type { Host } from './host.ts';
import type { LayerChain } from './layer.ts';

/** Turns a secret reference into its value, where the step runs, never before. */
export interface SecretResolver {
  resolve(reference: string): Promise<string>;
}

/** The build that a step belongs to, as templates and scripts know it (`PACKER_BUILD_NAME`, `{{ .BuildName }}`). */
export interface BuildFacts {
  /** The source's name. */
  readonly name: string;
  /** The source's type. */
  readonly type: string;
  /** One UUID for all builds of a run. */
  readonly runUuid: string;
}

/** What a step gets from outside its own options. */
export interface Context {
  /** Absent outside of builds. */
  readonly build?: BuildFacts;
  readonly signal: AbortSignal;
  readonly emit: Emit;
  /** Label of the step, for events. */
  readonly step: string;
  readonly host: Host;
  readonly clock: Clock;
  readonly secrets: SecretResolver;
  /** Scratch folder of this run on the cache's filesystem; removed when the run ends. */
  readonly workDir: string;
  /** Root of our caches (`<cacheDir>/apt`, `<cacheDir>/layers`, …). */
  readonly cacheDir: string;
  /** SOURCE_DATE_EPOCH: seconds since 1970, the newest date in the lock. */
  readonly epoch: number;
  /** `-debug`: how a person gets into the machine is told, a temporary key included. */
  readonly debug?: boolean;
  /** Folder that relative paths in the template start from. */
  readonly templateDir: string;
  /** Told by a source what its machine starts from, before it starts: whoever reads that need not wait for the machine. */
  readonly onFoundation?: (chain: LayerChain) => void;
}

/** A note of a step to the user. */
export function note(ctx: Pick<Context, 'emit' | 'step'>, line: string): void {
  ctx.emit({ type: 'step:log', step: ctx.step, stream: 'note', line });
}

/** Line callback that turns a command's output into step:log events. */
export function logLines(
  ctx: Pick<Context, 'emit' | 'step'>,
): (stream: 'stdout' | 'stderr', line: string) => void {
  return (stream, line) => ctx.emit({ type: 'step:log', step: ctx.step, stream, line });
}
