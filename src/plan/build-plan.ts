import { join, resolve } from 'node:path';
import type { FileDescriptor } from '../core/descriptor.ts';
import { type Diagnostic, hasErrors, type SourceRange } from '../core/diagnostic.ts';
import { digestOf, type Json } from '../core/digest.ts';
import { DiagnosticsError } from '../core/error.ts';
import { explainSystemError } from '../core/system-error.ts';
import type { NamedSecret } from '../core/named-secret.ts';
import { epochOf, type Lock, type LockEntry } from '../core/lock.ts';
import type { Engine, MachineNeeds, OutdatedInput, Pinned, PinContext, Source } from '../core/plugin.ts';
import {
  type Decoded,
  decodeBody,
  type EvalScope,
  type HclBody,
  type Template,
  valueFromJson,
  withVariables,
} from '../template/index.ts';
import type { Catalog } from './catalog.ts';
import { decodeImageFile } from './image-file.ts';
import { describeFiles } from './files.ts';
import { checkExpressions, MissingComponents } from './missing-components.ts';
import { checkImageOfFiles, planFiles } from './plan-files.ts';
import { checkEngine, engineOf, shutdownStep } from './plan-machine.ts';
import { planOffline } from './plan-offline.ts';
import { checkPolicy, filesOfPolicy } from './plan-policy.ts';
import { type DraftStep, planErrorCleanup, planPostProcessors, planProvisioners } from './plan-plugins.ts';
import { registryAnnotations } from './registry.ts';
import { readSelection, type Selection } from './select.ts';
import type { GitFacts, StampOptions } from './stamp.ts';
import { findTargets, fullName, type Target } from './targets.ts';
import { type ImagePlan, type Plan, type PlannedStep, planStep } from './types.ts';

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
  readonly git: GitFacts;
  readonly only: readonly string[];
  readonly except: readonly string[];
  /** Everything that pinning needs, but the lock. */
  readonly context: Omit<PinContext, 'lock' | 'mode' | 'step'>;
  readonly outputDir?: string;
  /** `--engine`: for every source that leaves the choice. */
  readonly engine?: Engine;
}

export interface PlanResult {
  /** Absent where there are errors. */
  readonly plan?: Plan;
  readonly diagnostics: readonly Diagnostic[];
}

/** A target with everything of it that needs no network, decoded. */
interface Draft {
  readonly target: Target & { readonly source: Source<never>; readonly decoded: Decoded<unknown> };
  readonly provisioners: readonly DraftStep[];
  readonly errorCleanup: DraftStep | undefined;
  readonly postProcessors: readonly DraftStep[];
  readonly secrets: readonly string[];
  /** Host files that the image file's tests read. */
  readonly testFiles: readonly (readonly FileDescriptor[] | undefined)[];
  readonly firstBootFiles: readonly FileDescriptor[];
  /** Those of its policy. */
  readonly policyFiles: readonly FileDescriptor[] | undefined;
  /** Of hcp_packer_registry. */
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Template + image file + lock → plan. Everything that can be found wrong without the network is found first,
 * all at once; only then are the inputs from outside pinned.
 */
export async function buildPlan(request: PlanRequest): Promise<PlanResult> {
  const { drafts, diagnostics } = await checkTemplate(request);
  if (hasErrors(diagnostics)) return { diagnostics };
  const { template } = request;
  if (request.toRun && drafts.some(({ target }) => target.source.produces === 'rootfs'))
    request.context.host.requireRoot('to mount filesystems and start containers');

  const images: ImagePlan[] = [];
  for (const draft of drafts) {
    const pinned = await pin(draft.target, request, diagnostics);
    if (pinned) images.push(complete(draft, pinned, request));
  }
  if (hasErrors(diagnostics)) return { diagnostics };
  const secrets = drafts.flatMap((d) => namedSecrets(d, template.scope));
  return { plan: { images, secrets, templateDir: template.dir }, diagnostics };
}

/** A draft's secrets, by the names that the template has for them. */
function namedSecrets(draft: Draft, scope: EvalScope): NamedSecret[] {
  const names = new Map(
    [...scope.secrets].flatMap(([name, values]) => values.map((v) => [v, name] as const)),
  );
  return [...new Set(draft.secrets)].map((value) => ({
    name: names.get(value) ?? 'a sensitive value',
    value,
  }));
}

/** Every finding about template and image file that needs no network, and the decoded parts. */
export async function checkTemplate(
  request: PlanRequest,
): Promise<{ drafts: Draft[]; diagnostics: Diagnostic[] }> {
  const diagnostics: Diagnostic[] = [];
  const scope = imageScope(request.template.scope, request.git);
  const imageFile = request.imageFile && decodeImageFile(request.imageFile, request.catalog, scope);
  diagnostics.push(...(imageFile?.diagnostics ?? []));
  const missing = new MissingComponents(request.template, request.missing);
  await checkDataSources(request, missing, diagnostics);
  const drafts: Draft[] = [];
  const selection = readSelection(request.only, request.except, diagnostics);
  for (const target of findTargets(request, selection, imageFile?.images, missing, diagnostics)) {
    const drafted = await draft(target, request, selection, missing, diagnostics);
    if (drafted) drafts.push(drafted);
  }
  missing.report(diagnostics);
  return { drafts, diagnostics: withoutRepeats(diagnostics) };
}

/** Bodies of data sources; what they answer is not asked here. */
async function checkDataSources(
  { template, catalog }: PlanRequest,
  missing: MissingComponents,
  diagnostics: Diagnostic[],
): Promise<void> {
  for (const block of template.dataSources) {
    const plugin = catalog.dataSources.get(block.type);
    if (plugin)
      diagnostics.push(...decodeBody(block.body, await plugin.schema(), template.scope).diagnostics);
    else missing.add('dataSources', block, catalog.dataSources.keys(), diagnostics);
  }
}

/** Several builds of one source find the same mistake in it: it is told once. */
function withoutRepeats(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter(({ code, message, range }) => {
    const key = JSON.stringify([code, message, range?.file, range?.start.offset]);
    if (range && seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** What the locked inputs of every selected build are behind by. */
export async function outdatedInputs(
  request: PlanRequest,
): Promise<{ readonly build: string; readonly inputs: readonly OutdatedInput[] }[]> {
  const { drafts, diagnostics } = await checkTemplate(request);
  if (hasErrors(diagnostics)) throw new DiagnosticsError(diagnostics);
  const found = [];
  for (const { target } of drafts) {
    const inputs = await target.source.outdated?.(
      target.decoded.options as never,
      pinContext(target, request),
    );
    found.push({ build: fullName(target.build, target.use), inputs: inputs ?? [] });
  }
  return found;
}

/** The image file sees the template's variables and locals, and `git`. */
function imageScope(scope: EvalScope, git: GitFacts): EvalScope {
  return withVariables(scope, {
    git: valueFromJson({ version: git.version, commit: git.commit ?? '', dirty: git.dirty }),
  });
}

async function draft(
  target: Target,
  request: PlanRequest,
  selection: Selection,
  missing: MissingComponents,
  diagnostics: Diagnostic[],
): Promise<Draft | undefined> {
  const { source, use, build } = target;
  const decoded = source && (decodeBody(use.body, await source.schema(), use.scope) as Decoded<unknown>);
  if (decoded) diagnostics.push(...decoded.diagnostics);
  else checkExpressions(use.body, use.scope, diagnostics);
  if (source?.produces === 'files' && target.image) checkImageOfFiles(target.image, use.type, diagnostics);
  if (source && target.image) checkEngine(source, target.image, diagnostics);
  const parts = {
    catalog: request.catalog,
    baseDir: request.context.templateDir,
    selection,
    missing,
    build,
    use,
    diagnostics,
  };
  const provisioners = await planProvisioners(parts);
  const errorCleanup = await planErrorCleanup(parts);
  const postProcessors = await planPostProcessors(parts);
  const annotations = registryAnnotations(build);
  const testFiles = await filesOfTests(target, request, diagnostics);
  const firstBootFiles = await filesOfFirstBoot(target, request, diagnostics);
  const policyFiles = await filesOfThePolicy(target, request, diagnostics);
  if (!source || !decoded) return undefined;
  const drafts = [...provisioners, ...(errorCleanup ? [errorCleanup] : []), ...postProcessors];
  // A password that is the user's name (vagrant, packer) is none: masked and searched for, it would be everywhere.
  const user = (decoded.options as { readonly ssh_username?: unknown } | undefined)?.ssh_username;
  const secrets = [...decoded.secrets, ...drafts.flatMap((p) => p.secrets)].filter((s) => s !== user);
  return {
    target: { ...target, source, decoded },
    provisioners,
    errorCleanup,
    postProcessors,
    secrets,
    testFiles,
    firstBootFiles,
    policyFiles,
    annotations,
  };
}

async function filesOfFirstBoot(
  { image }: Target,
  { catalog, context }: PlanRequest,
  diagnostics: Diagnostic[],
): Promise<FileDescriptor[]> {
  const { options, range } = image?.firstBoot ?? {};
  if (!options) return [];
  const paths = catalog.firstBoot.files(options as never);
  return await describeOrTell(paths, context.templateDir, range, diagnostics);
}

async function filesOfTests(
  { image }: Target,
  { catalog, context }: PlanRequest,
  diagnostics: Diagnostic[],
): Promise<(FileDescriptor[] | undefined)[]> {
  const found: (FileDescriptor[] | undefined)[] = [];
  for (const { type, options, range } of image?.tests ?? []) {
    const filesOf = options ? catalog.tests.get(type)?.files : undefined;
    const paths = filesOf ? filesOf(options as never, context.templateDir) : [];
    found.push(paths && (await describeOrTell(paths, context.templateDir, range, diagnostics)));
  }
  return found;
}

async function filesOfThePolicy(
  { image }: Target,
  { catalog, context: { templateDir } }: PlanRequest,
  diagnostics: Diagnostic[],
): Promise<FileDescriptor[] | undefined> {
  if (!image?.policy) return [];
  checkPolicy(image, catalog, templateDir, diagnostics);
  const paths = filesOfPolicy(image, catalog, templateDir);
  return paths && (await describeOrTell(paths, templateDir, image.policy.range, diagnostics));
}

/** The files that a block reads; one that is not there is a finding about the block. */
async function describeOrTell(
  paths: readonly string[],
  templateDir: string,
  range: SourceRange | undefined,
  diagnostics: Diagnostic[],
): Promise<FileDescriptor[]> {
  return await describeFiles(paths, templateDir).catch((error: unknown) => {
    const told = explainSystemError(error, { place: templateDir });
    diagnostics.push(told.at({ ...(range && { range }) }).toDiagnostic());
    return [];
  });
}

function pinContext(target: Draft['target'], request: PlanRequest): PinContext {
  const step = `${target.use.type}.${target.use.name}`;
  const engine = engineOf(target.source, target.image, request.engine);
  return { ...request.context, step, lock: request.lock, mode: request.mode, ...(engine && { engine }) };
}

async function pin(
  target: Draft['target'],
  request: PlanRequest,
  diagnostics: Diagnostic[],
): Promise<Pinned<unknown> | undefined> {
  try {
    return await target.source.pin(target.decoded.options as never, pinContext(target, request));
  } catch (error) {
    if (request.context.signal.aborted) throw error;
    diagnostics.push(
      explainSystemError(error, { place: `the cache ${request.context.cacheDir}` })
        .at({ range: target.use.range })
        .toDiagnostic(),
    );
    return undefined;
  }
}

function complete(parts: Draft, pinned: Pinned<unknown>, request: PlanRequest): ImagePlan {
  const { template, lock } = request;
  const { target } = parts;
  const { use, image, build, name } = target;
  const entry = pinned.lockKey === undefined ? undefined : lock.entries[pinned.lockKey];
  const baseDate = epochOf(entry);
  const epoch = baseDate ?? 1;
  const source = sourceStep(name, target, pinned, entry, epoch);
  const own = image ? undefined : target.source.output?.(pinned.options as never, use.name);
  const outputDir = request.outputDir ?? image?.outputDirectory ?? own?.directory ?? `output-${name}`;
  const common = {
    name,
    build: fullName(build, use),
    source: { type: use.type, name: use.name },
    needs: needsOf(target.source, pinned.options),
    epoch,
    ...(parts.errorCleanup && {
      errorCleanup: planStep({ ...parts.errorCleanup.step, label: `${name}/error-cleanup` }),
    }),
    outputDir: request.outputDir === undefined ? join(template.dir, outputDir) : resolve(outputDir),
  };
  if (target.source.produces === 'files') {
    const { provisioners, postProcessors } = parts;
    const planned = planFiles({ name, source, epoch, image, git: request.git, provisioners, postProcessors });
    return { ...common, ...planned, produces: 'files' };
  }
  const { steps, top, after } = provisionerSteps(name, source, parts.provisioners, epoch);
  const isVm = engineOf(target.source, image, request.engine) === 'vm';
  const shutdown = isVm ? shutdownStep(name, top, after, epoch) : undefined;
  const offline = planOffline({
    name,
    top: shutdown?.id ?? top,
    after: shutdown ? [] : after,
    ...(own && { own }),
    wholeDisk: target.source.layers === 'qcow2',
    epoch,
    image,
    catalog: request.catalog,
    git: request.git,
    dirtyMark: digestOf([
      template.digest,
      parts.provisioners.map((p) => p.step.spec.files as unknown as Json),
    ]),
    templateDigest: template.digest,
    lockDigest: digestOf(entry ?? null),
    annotations: parts.annotations,
    ...(pinned.lockKey !== undefined && { lockKey: pinned.lockKey }),
    origin: originOf(entry),
    toolsDigest: digestOf(entry?.kind === 'apt' ? entry.tools : null),
    postProcessors: parts.postProcessors.map((p) => p.step),
    secrets: namedSecrets(parts, template.scope),
    testFiles: parts.testFiles,
    firstBootFiles: parts.firstBootFiles,
    policyFiles: parts.policyFiles,
    ...(baseDate !== undefined && { baseDate }),
    now: request.context.clock.now(),
  });
  return {
    ...common,
    produces: 'rootfs',
    version: offline.version,
    steps: [...steps, ...(shutdown ? [shutdown] : []), ...offline.steps],
    annotations: offline.annotations,
  };
}

/** A container shares the host's kernel; this is what apt, dpkg and an init system take at most times. */
const CONTAINER: MachineNeeds = { memory: 512 * 1024 * 1024, cpus: 1 };
const NOTHING: MachineNeeds = { memory: 0, cpus: 0 };

function needsOf(source: Source<never>, options: unknown): MachineNeeds {
  return source.needs?.(options as never) ?? (source.produces === 'rootfs' ? CONTAINER : NOTHING);
}

/** The image that a source starts from, where its lock entry is of one. */
function originOf(entry: LockEntry | undefined): Pick<StampOptions, 'base' | 'ancestry'> {
  if (entry?.kind !== 'image') return {};
  const { image, manifest, ancestry } = entry;
  return { base: { name: image, digest: manifest.digest }, ...(ancestry && { ancestry }) };
}

/** Each provisioner stands on the layer below it; those on the host stand beside the layers. */
function provisionerSteps(
  name: string,
  source: PlannedStep,
  drafts: readonly DraftStep[],
  epoch: number,
): { steps: PlannedStep[]; top: PlannedStep['id']; after: PlannedStep['id'][] } {
  const steps = [source];
  let top = source.id;
  let after: PlannedStep['id'][] = [];
  for (const part of drafts) {
    const step = planStep({
      ...part.step,
      label: `${name}/${part.step.label}`,
      after,
      spec: { ...part.step.spec, inputs: [top], epoch },
    });
    steps.push(step);
    if (part.onHost) {
      after = [...after, step.id];
    } else {
      top = step.id;
      after = [];
    }
  }
  return { steps, top, after };
}

function sourceStep(
  name: string,
  target: Draft['target'],
  pinned: Pinned<unknown>,
  entry: unknown,
  epoch: number,
): PlannedStep {
  const { use, source, decoded } = target;
  // Tools (boot loaders) are no part of the filesystem: they enter the disk step.
  const locked = entry === undefined ? null : digestOf({ ...(entry as object), tools: undefined });
  const written = decoded.secrets.length > 0 ? decoded.hashForm : (pinned.options as Json);
  const options =
    pinned.hashed === undefined ? written : { written: decoded.hashForm, outside: pinned.hashed };
  return planStep({
    label: `${name}/${use.type}.${use.name}`,
    title: `${use.type} ${use.name}`,
    spec: {
      kind: 'source',
      type: use.type,
      version: source.version,
      options: { options, lock: locked },
      inputs: [],
      files: [],
      epoch,
    },
    origin: use.range,
    options: pinned.options,
    meta: {},
    after: [],
    cacheable: source.produces === 'rootfs',
  });
}
