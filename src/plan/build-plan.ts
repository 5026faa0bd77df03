import { join, resolve } from 'node:path';
import { type Diagnostic, hasErrors, startOf } from '../core/diagnostic.ts';
import { digestOf, type Json } from '../core/digest.ts';
import { asIngotError, DiagnosticsError } from '../core/error.ts';
import { epochOf, type Lock } from '../core/lock.ts';
import type { OutdatedInput, Pinned, PinContext, Source } from '../core/plugin.ts';
import {
  type BuildBlock,
  type Decoded,
  decodeBody,
  type EvalScope,
  type HclBody,
  nearest,
  type SourceUse,
  type Template,
  valueFromJson,
  withVariables,
} from '../template/index.ts';
import type { Catalog } from './catalog.ts';
import { decodeImageFile, type ImageBlock } from './image-file.ts';
import { planOffline } from './plan-offline.ts';
import { type DraftStep, planErrorCleanup, planPostProcessors, planProvisioners } from './plan-plugins.ts';
import { isSelected } from './select.ts';
import type { GitFacts } from './stamp.ts';
import { type ImagePlan, type Plan, type PlannedStep, planStep } from './types.ts';

export interface PlanRequest {
  readonly template: Template;
  /** Body of the image file(s); absent: defaults for every source. */
  readonly imageFile?: HclBody;
  readonly catalog: Catalog;
  /** Mutated by pinning: the caller writes it when the plan is good. */
  readonly lock: Lock;
  readonly mode: PinContext['mode'];
  readonly git: GitFacts;
  readonly only: readonly string[];
  readonly except: readonly string[];
  /** Everything that pinning needs, but the lock. */
  readonly context: Omit<PinContext, 'lock' | 'mode' | 'step'>;
  readonly outputDir?: string;
}

export interface PlanResult {
  /** Absent where there are errors. */
  readonly plan?: Plan;
  readonly diagnostics: readonly Diagnostic[];
}

/** A source that is to be built, and the image block that speaks of it. */
interface Target {
  readonly build: BuildBlock;
  readonly use: SourceUse;
  readonly image: ImageBlock | undefined;
  readonly source: Source<never>;
}

/** A target with everything of it that needs no network, decoded. */
interface Draft {
  readonly target: Target & { readonly decoded: Decoded<unknown> };
  readonly provisioners: readonly DraftStep[];
  readonly errorCleanup: DraftStep | undefined;
  readonly postProcessors: readonly DraftStep[];
  readonly secrets: readonly string[];
}

/**
 * Template + image file + lock → plan. Everything that can be found wrong without the network is found first,
 * all at once; only then are the inputs from outside pinned.
 */
export async function buildPlan(request: PlanRequest): Promise<PlanResult> {
  const { drafts, diagnostics } = await checkTemplate(request);
  if (hasErrors(diagnostics)) return { diagnostics };
  const { template } = request;

  const images: ImagePlan[] = [];
  for (const draft of drafts) {
    const pinned = await pin(draft.target, request, diagnostics);
    if (pinned) images.push(complete(draft, pinned, request));
  }
  if (hasErrors(diagnostics)) return { diagnostics };
  const secrets = drafts.flatMap((d) => d.secrets);
  return { plan: { images, secrets, templateDir: template.dir }, diagnostics };
}

/** Every finding about template and image file that needs no network, and the decoded parts. */
export async function checkTemplate(
  request: PlanRequest,
): Promise<{ drafts: Draft[]; diagnostics: Diagnostic[] }> {
  const diagnostics: Diagnostic[] = [];
  const scope = imageScope(request.template.scope, request.git);
  const imageFile = request.imageFile && decodeImageFile(request.imageFile, request.catalog, scope);
  diagnostics.push(...(imageFile?.diagnostics ?? []));
  const drafts: Draft[] = [];
  for (const target of findTargets(request, imageFile?.images, diagnostics))
    drafts.push(await draft(target, request, diagnostics));
  return { drafts, diagnostics };
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

function findTargets(
  request: PlanRequest,
  images: readonly ImageBlock[] | undefined,
  diagnostics: Diagnostic[],
): Target[] {
  const { template, catalog } = request;
  const all = template.builds.flatMap((build) => build.sources.map((use) => ({ build, use })));
  const names = all.map(({ build, use }) => fullName(build, use));
  for (const image of images ?? []) {
    if (
      image.build !== undefined &&
      !all.some(({ build, use }) => means(image.build as string, build, use))
    ) {
      const near = nearest(image.build, names);
      diagnostics.push({
        code: 'plan/no-such-build',
        severity: 'error',
        message: `image "${image.name}" is built from "${image.build}", and the template has ${names.join(', ') || 'no build'}`,
        range: image.range,
        ...(near !== undefined && { hint: `Did you mean "${near}"?` }),
      });
    } else if (image.build === undefined && all.length !== 1) {
      diagnostics.push({
        code: 'plan/which-build',
        severity: 'error',
        message: `image "${image.name}" does not say what it is built from, and the template has ${all.length} sources`,
        range: image.range,
        hint: `Write build = "TYPE.NAME"; there are: ${names.join(', ') || 'none'}.`,
      });
    }
  }
  const targets: Target[] = [];
  for (const { build, use } of all) {
    const selector = {
      type: use.type,
      name: use.name,
      ...(build.name !== undefined && { buildName: build.name }),
    };
    if (!isSelected(selector, request.only, request.except)) continue;
    const source = catalog.sources.get(use.type);
    if (!source) {
      const near = nearest(use.type, [...catalog.sources.keys()]);
      diagnostics.push({
        code: 'plan/unknown-source',
        severity: 'error',
        message: `there is no source of type "${use.type}"; expected one of ${[...catalog.sources.keys()].join(', ')}`,
        range: use.range,
        ...(near !== undefined && { hint: `Did you mean "${near}"?` }),
      });
      continue;
    }
    const image = images?.find((i) =>
      i.build === undefined ? all.length === 1 : means(i.build, build, use),
    );
    targets.push({ build, use, image, source });
  }
  if (targets.length === 0 && !hasErrors(diagnostics)) {
    diagnostics.push({
      code: 'plan/nothing-to-build',
      severity: 'error',
      message:
        all.length === 0
          ? 'the template has no build with a source'
          : 'no build is left by -only and -except',
      range: startOf(template.files[0] ?? template.dir),
      hint: all.length === 0 ? 'Add a build block that names a source.' : `There are: ${names.join(', ')}.`,
    });
  }
  return targets;
}

function fullName(build: BuildBlock, use: SourceUse): string {
  return build.name === undefined ? `${use.type}.${use.name}` : `${build.name}.${use.type}.${use.name}`;
}

function means(reference: string, build: BuildBlock, use: SourceUse): boolean {
  return reference === fullName(build, use) || reference === `${use.type}.${use.name}`;
}

async function draft(target: Target, request: PlanRequest, diagnostics: Diagnostic[]): Promise<Draft> {
  const decoded = decodeBody(
    target.use.body,
    await target.source.schema(),
    target.use.scope,
  ) as Decoded<unknown>;
  diagnostics.push(...decoded.diagnostics);
  const parts = {
    catalog: request.catalog,
    template: request.template,
    build: target.build,
    use: target.use,
    diagnostics,
  };
  const provisioners = await planProvisioners(parts);
  const errorCleanup = await planErrorCleanup(parts);
  const postProcessors = await planPostProcessors(parts);
  const secrets = [...decoded.secrets, ...[...provisioners, ...postProcessors].flatMap((p) => p.secrets)];
  return { target: { ...target, decoded }, provisioners, errorCleanup, postProcessors, secrets };
}

function pinContext(target: Target, request: PlanRequest): PinContext {
  const step = `${target.use.type}.${target.use.name}`;
  return { ...request.context, step, lock: request.lock, mode: request.mode };
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
    diagnostics.push(asIngotError(error).at({ range: target.use.range }).toDiagnostic());
    return undefined;
  }
}

function complete(parts: Draft, pinned: Pinned<unknown>, request: PlanRequest): ImagePlan {
  const { template, lock } = request;
  const { target } = parts;
  const { use, image, build } = target;
  const name = image?.name ?? use.name;
  const entry = pinned.lockKey === undefined ? undefined : lock.entries[pinned.lockKey];
  const epoch = epochOf(entry) ?? 1;
  const steps: PlannedStep[] = [sourceStep(name, target, pinned, entry, epoch)];
  let top = (steps[0] as PlannedStep).id;
  let after: PlannedStep['id'][] = [];
  for (const part of parts.provisioners) {
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
  const offline = planOffline({
    name,
    top,
    after,
    epoch,
    image,
    produces: target.source.produces,
    catalog: request.catalog,
    git: request.git,
    dirtyMark: digestOf([
      template.digest,
      parts.provisioners.map((p) => p.step.spec.files as unknown as Json),
    ]),
    templateDigest: template.digest,
    lockDigest: digestOf(entry ?? null),
    ...(pinned.lockKey !== undefined && { lockKey: pinned.lockKey }),
    toolsDigest: digestOf(entry?.kind === 'apt' ? entry.tools : null),
    postProcessors: parts.postProcessors.map((p) => p.step),
  });
  steps.push(...offline.steps);
  const outputDir = request.outputDir ?? image?.outputDirectory ?? `output-${name}`;
  return {
    name,
    version: offline.version,
    build: fullName(build, use),
    epoch,
    steps,
    ...(parts.errorCleanup && {
      errorCleanup: planStep({ ...parts.errorCleanup.step, label: `${name}/error-cleanup` }),
    }),
    annotations: offline.annotations,
    outputDir: request.outputDir === undefined ? join(template.dir, outputDir) : resolve(outputDir),
  };
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
  const options = decoded.secrets.length > 0 ? decoded.hashForm : (pinned.options as Json);
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
    cacheable: true,
  });
}
