import type { Lock } from '../core/lock.ts';
import type { Engine, PinContext } from '../core/plugin.ts';
import type { HclBody, Template } from '../template/index.ts';
import type { Catalog } from './catalog.ts';
import type { GitFacts } from './stamp.ts';

export interface PlanRequest {
  readonly template: Template;
  /** Body of the image file(s); absent: defaults for every source. */
  readonly imageFile?: HclBody;
  readonly catalog: Catalog;
  /** Mutated by pinning: the caller writes it when the plan is good. */
  readonly lock: Lock;
  readonly mode: PinContext['mode'];
  /** What to do about component types that Packer has and we don't. */
  readonly missing: 'warn' | 'refuse';
  /** The plan will be run: without what that takes (root), nothing is fetched for it. */
  readonly toRun?: boolean;
  /** Asked where it counts: for an image file, and for what is built. */
  readonly git: () => Promise<GitFacts>;
  readonly only: readonly string[];
  readonly except: readonly string[];
  /** Everything that pinning needs, but the lock. */
  readonly context: Omit<PinContext, 'lock' | 'mode' | 'step'>;
  readonly outputDir?: string;
  /** `--engine`: for every source that leaves the choice. */
  readonly engine?: Engine;
}
