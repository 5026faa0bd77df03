import { hasErrors } from '../core/diagnostic.ts';
import type { Catalog } from '../plan/catalog.ts';
import { officialPlugins } from '../plan/official-plugins.ts';
import { loadTemplate, NEEDED_TO_BUILD } from '../template/index.ts';
import { catalog } from './catalog.ts';
import { templateInputs, throwDiagnostics, type TemplateOptions } from './load.ts';
import { placeOf } from './template-place.ts';

/** A plugin that a template requires, and what of it is here. */
export interface RequiredPlugin {
  readonly name: string;
  readonly source: string;
  readonly version?: string;
  /** Its component types that are built in: `provisioner.ansible`. */
  readonly builtIn: readonly string[];
  /** Those that are not; empty for plugins that we don't know. */
  readonly missing: readonly string[];
  /** Whether the plugin is one that we know of. */
  readonly known: boolean;
}

const KINDS = [
  ['builders', 'sources', 'source'],
  ['provisioners', 'provisioners', 'provisioner'],
  ['postProcessors', 'postProcessors', 'post-processor'],
  ['dataSources', 'dataSources', 'data'],
] as const;

/** What `packer init` would install: the template's required_plugins. Nothing is installed. */
export async function requiredPlugins(options: TemplateOptions): Promise<readonly RequiredPlugin[]> {
  const { root } = await placeOf(options.path, undefined);
  const loaded = await loadTemplate({ ...templateInputs(options, root), unconfigured: 'unknown' });
  const diagnostics = loaded.diagnostics.filter((d) => !NEEDED_TO_BUILD.has(d.code));
  if (hasErrors(diagnostics)) return throwDiagnostics({ diagnostics, sources: loaded.sources });
  return loaded.template.requiredPlugins.map(({ name, source, version }) => {
    const plugin = Object.values(officialPlugins).find(
      (p) => p.source.toLowerCase() === source.toLowerCase(),
    );
    const types = KINDS.flatMap(([kind, ours, word]) =>
      (plugin?.[kind] ?? []).map((type) => ({ type: `${word}.${type}`, here: catalog[ours].has(type) })),
    );
    return {
      name,
      source,
      ...(version !== undefined && { version }),
      builtIn: types.filter(({ here }) => here).map(({ type }) => type),
      missing: types.filter(({ here }) => !here).map(({ type }) => type),
      known: plugin !== undefined,
    };
  });
}

/** Every component type that is built in, by kind, sorted. */
export function builtInTypes(): Readonly<Record<string, readonly string[]>> {
  const types = (plugins: Catalog[(typeof KINDS)[number][1]]): string[] => [...plugins.keys()].sort();
  return Object.fromEntries(KINDS.map(([, ours, word]) => [word, types(catalog[ours])]));
}
