import type { Diagnostic } from '../core/diagnostic.ts';
import { checkTemplate } from '../plan/build-plan.ts';
import { catalog } from './catalog.ts';
import { load, type TemplateOptions } from './load.ts';
import { type Deps, openSession } from './session.ts';

export interface Validation {
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, string>;
}

/** `ingot validate`: every finding about template and image file, without the network and without pinning. */
export async function validate(options: TemplateOptions, deps: Deps): Promise<Validation> {
  const { request, diagnostics, sources } = await load(
    { ...options, mode: 'locked', validating: true },
    catalog,
    openSession(deps),
  );
  const found = request ? (await checkTemplate(request)).diagnostics : [];
  return { diagnostics: [...diagnostics, ...found], sources };
}
