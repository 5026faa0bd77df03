import type { BodySpec } from '../core/body-spec.ts';
import type { FileDescriptor } from '../core/descriptor.ts';
import type { Diagnostic, SourceRange } from '../core/diagnostic.ts';
import type { Json } from '../core/digest.ts';
import { asIngotError } from '../core/error.ts';
import type { GeneratedData } from '../core/machine.ts';
import type { Plugin } from '../core/plugin.ts';
import { textsWithReferences } from '../core/references.ts';
import {
  type BuildBlock,
  decodeBody,
  type EvalScope,
  type HclBody,
  type ProvisionerBlock,
  type SourceUse,
} from '../template/index.ts';
import type { Catalog } from './catalog.ts';
import { describeFiles } from './files.ts';
import type { ComponentKind } from './official-plugins.ts';
import { checkExpressions, type MissingComponents } from './missing-components.ts';
import type { Selection } from './select.ts';
import type { PlannedStep, StepKind } from './types.ts';

/** A step that does not yet know what it stands on. */
export interface DraftStep {
  readonly step: Omit<PlannedStep, 'id'>;
  readonly secrets: readonly string[];
  /** Options with secret references, which are resolved when it runs. */
  readonly references: readonly string[];
  /** Its effects are on the host, not in a layer. */
  readonly onHost: boolean;
}

interface Parts {
  readonly catalog: Catalog;
  /** Relative paths start here. */
  readonly baseDir: string;
  /** -except leaves out post-processors by name, too. */
  readonly selection: Selection;
  readonly missing: MissingComponents;
  readonly build: BuildBlock;
  readonly use: SourceUse;
  readonly diagnostics: Diagnostic[];
}

/** The provisioners that this source gets, in order. */
export async function planProvisioners(parts: Parts): Promise<DraftStep[]> {
  const drafts: DraftStep[] = [];
  for (const [index, block] of parts.build.provisioners.entries()) {
    if (!appliesTo(block.meta, parts.use)) continue;
    const draft = await planProvisioner(block, `${block.type}[${index}]`, parts);
    if (draft) drafts.push(draft);
  }
  return drafts;
}

/** The error-cleanup-provisioner, where there is one. */
export async function planErrorCleanup(parts: Parts): Promise<DraftStep | undefined> {
  const block = parts.build.errorCleanup;
  if (!block || !appliesTo(block.meta, parts.use)) return undefined;
  return await planProvisioner(block, 'error-cleanup', parts);
}

/** Post-processors, chains one after the other. */
export async function planPostProcessors(parts: Parts): Promise<DraftStep[]> {
  const drafts: DraftStep[] = [];
  let index = 0;
  for (const [chain, blocks] of parts.build.postProcessors.entries()) {
    for (const block of blocks) {
      const label = `${block.name ?? block.type}[${index++}]`;
      if (!appliesTo(block, parts.use)) continue;
      // As in Packer: what is excluded ends its chain, since what follows would get the wrong artifact.
      if (parts.selection.excludes(block.name ?? block.type)) break;
      const plugin = findPlugin(parts.catalog.postProcessors, 'postProcessors', block, block.body, parts);
      if (!plugin) continue;
      const draft = await draftStep('post-processor', plugin, block.body, block.range, label, parts);
      const keepInput = block.keepInputArtifact;
      const meta = { index: chain, ...(keepInput !== undefined && { keepInput }) };
      drafts.push({ ...draft, step: { ...draft.step, cacheable: false, chain: meta }, onHost: true });
    }
  }
  return drafts;
}

async function planProvisioner(
  block: ProvisionerBlock,
  label: string,
  parts: Parts,
): Promise<DraftStep | undefined> {
  const body = block.bodyFor(parts.use.name);
  const plugin = findPlugin(parts.catalog.provisioners, 'provisioners', block, body, parts);
  if (!plugin) return undefined;
  const draft = await draftStep('provisioner', plugin, body, block.range, label, parts);
  const onHost = plugin.onHost ?? false;
  const { pauseBeforeMs, timeoutMs, maxRetries, continueOnError } = block.meta;
  return {
    ...draft,
    onHost,
    step: {
      ...draft.step,
      spec: {
        ...draft.step.spec,
        ...(plugin.tellsBuild && { build: { type: parts.use.type, name: parts.use.name } }),
        ...(continueOnError && { continueOnError: true }),
      },
      cacheable: draft.step.cacheable && !onHost,
      meta: {
        ...(pauseBeforeMs !== undefined && { pauseBeforeMs }),
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(maxRetries !== undefined && { maxRetries }),
        ...(continueOnError !== undefined && { continueOnError }),
      },
    },
  };
}

async function draftStep(
  kind: StepKind,
  plugin: Plugin<never>,
  body: HclBody,
  range: SourceRange,
  label: string,
  parts: Parts,
): Promise<DraftStep> {
  const spec: BodySpec = await plugin.schema();
  const scope: EvalScope = parts.use.scope;
  const decoded = decodeBody(body, spec, scope);
  parts.diagnostics.push(...decoded.diagnostics);
  let files: FileDescriptor[] = [];
  let reads: readonly string[] = [];
  let made: readonly string[] = [];
  if (decoded.options !== undefined) {
    try {
      reads = plugin.files?.(decoded.options as never, parts.baseDir) ?? [];
      made = plugin.lateFiles?.(decoded.options as never) ?? [];
      files = await describeFiles(reads, parts.baseDir);
    } catch (error) {
      parts.diagnostics.push(asIngotError(error).at({ range }).toDiagnostic());
    }
  }
  const resolve = (generated: GeneratedData): unknown => {
    const again = decodeBody(body, spec, scope, { build: generated });
    if (again.options === undefined)
      throw asIngotError(
        new Error(again.diagnostics.map((d) => d.message).join('; ')),
        'plan/late-options',
      ).at({ range });
    return again.options;
  };
  return {
    secrets: decoded.secrets,
    references: textsWithReferences(decoded.options, spec),
    onHost: false,
    step: {
      label,
      title: titleOf(plugin.type, decoded.hashForm),
      spec: {
        kind,
        type: plugin.type,
        version: plugin.version,
        options: decoded.hashForm,
        inputs: [],
        files,
        epoch: 0,
      },
      origin: range,
      options: decoded.options,
      reads: [...reads, ...made],
      ...(made.length > 0 && { late: true }),
      ...(decoded.unknown && { resolve }),
      meta: {},
      after: [],
      cacheable: true,
      ...(decoded.volatile && { volatile: 'an option depends on the time, a random value or build.*' }),
    },
  };
}

function findPlugin<P>(
  plugins: ReadonlyMap<string, P>,
  kind: ComponentKind,
  block: { readonly type: string; readonly range: SourceRange },
  body: HclBody,
  { missing, use, diagnostics }: Parts,
): P | undefined {
  const plugin = plugins.get(block.type);
  if (plugin) return plugin;
  missing.add(kind, block, plugins.keys(), diagnostics);
  checkExpressions(body, use.scope, diagnostics);
  return undefined;
}

/** `only` and `except` of a block name sources as `type.name`; Packer takes the bare name, too. */
function appliesTo(
  block: { readonly only?: readonly string[]; readonly except?: readonly string[] },
  use: SourceUse,
): boolean {
  const hit = (names: readonly string[]): boolean =>
    names.includes(`${use.type}.${use.name}`) || names.includes(use.name);
  if (block.only && block.only.length > 0 && !hit(block.only)) return false;
  return !(block.except && hit(block.except));
}

/** A few words that tell steps of one type apart: the playbook, the script, the file, or the first command. */
function titleOf(type: string, options: Json): string {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return type;
  const o = options as Readonly<Record<string, Json>>;
  const first = (value: Json | undefined): string | undefined =>
    typeof value === 'string'
      ? value
      : Array.isArray(value) && typeof value[0] === 'string'
        ? value[0]
        : undefined;
  const what =
    first(o.playbook_file) ??
    first(o.playbook_files) ??
    first(o.local_state_tree) ??
    first(o.script) ??
    first(o.scripts) ??
    first(o.source) ??
    first(o.sources) ??
    first(o.inline) ??
    first(o.command);
  return what === undefined ? type : `${type} ${(what.split('\n')[0] as string).slice(0, 60)}`;
}
