import { type Diagnostic, hasErrors } from '../core/diagnostic.ts';
import { checkTemplate } from '../plan/check-template.ts';
import { NEEDED_TO_BUILD } from '../template/index.ts';
import { catalog } from './catalog.ts';
import { load, type TemplateOptions } from './load.ts';
import { type Deps, openSession } from './session.ts';

export interface ValidateOptions extends TemplateOptions {
  /** Whether the files can be read as a template, and no more. */
  readonly syntaxOnly?: boolean;
  /** Asks data sources; without it their values are unknown. */
  readonly askData?: boolean;
}

export interface Validation {
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, string>;
}

/** `ingot validate`: every finding about template and image file, without pinning and, but for data sources, without the network. */
export async function validate(options: ValidateOptions, deps: Deps): Promise<Validation> {
  const askData = options.askData ?? false;
  const { request, diagnostics, sources } = await load(
    { ...options, mode: 'locked', validating: true, askData },
    catalog,
    openSession(deps),
  );
  if (options.syntaxOnly)
    return { diagnostics: diagnostics.filter((d) => !NEEDED_TO_BUILD.has(d.code)), sources };
  const found = request ? (await checkTemplate(request)).diagnostics : [];
  // What a broken variable leaves of the builds says nothing about them.
  const useful = hasErrors(diagnostics) ? found.filter((d) => d.code !== 'plan/nothing-to-build') : found;
  return { diagnostics: [...diagnostics, ...useful], sources };
}
