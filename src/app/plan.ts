import { catalog } from './catalog.ts';
import { loadPlan, type Planned, type TemplateOptions } from './load.ts';
import { type Deps, openSession } from './session.ts';

export interface PlanOptions extends TemplateOptions {
  /** Refuse to resolve what the lock does not hold. */
  readonly locked?: boolean;
}

/** `ingot plan`: what a build would run. Resolves what is not locked yet, and writes nothing. */
export async function planBuild(options: PlanOptions, deps: Deps): Promise<Planned> {
  return await loadPlan({ ...options, mode: options.locked ? 'locked' : 'use' }, catalog, openSession(deps));
}

export { planToJson } from '../plan/types.ts';
