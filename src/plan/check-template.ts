import type { FileDescriptor } from '../core/descriptor.ts';
import type { Diagnostic, SourceRange } from '../core/diagnostic.ts';
import { explainSystemError } from '../core/system-error.ts';
import type { Source } from '../core/plugin.ts';
import { type Decoded, decodeBody, type HclBody, valueFromJson, withVariables } from '../template/index.ts';
import { describeFiles } from './files.ts';
import { checkExpressions, MissingComponents } from './missing-components.ts';
import { checkImageOfFiles } from './plan-files.ts';
import { checkEngine } from './plan-machine.ts';
import { type DraftStep, planErrorCleanup, planPostProcessors, planProvisioners } from './plan-plugins.ts';
import { checkPolicy, filesOfPolicy } from './plan-policy.ts';
import { registryAnnotations } from './registry.ts';
import { readSelection, type Selection } from './select.ts';
import { findTargets, type Target } from './targets.ts';
import type { PlanRequest } from './plan-request.ts';
import { decodeImageFile, type ImageFile } from './image-file.ts';

/** A target with everything of it that needs no network, decoded. */
export interface Draft {
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

/** Every finding about template and image file that needs no network, and the decoded parts. */
export async function checkTemplate(
  request: PlanRequest,
): Promise<{ drafts: Draft[]; diagnostics: Diagnostic[] }> {
  const diagnostics: Diagnostic[] = [];
  const imageFile = request.imageFile && (await readImageFile(request.imageFile, request));
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

/** The image file sees the template's variables and locals, and `git`. */
async function readImageFile(body: HclBody, { template, catalog, git }: PlanRequest): Promise<ImageFile> {
  const { version, commit = '', dirty } = await git();
  const seen = { git: valueFromJson({ version, commit, dirty }) };
  return decodeImageFile(body, catalog, withVariables(template.scope, seen));
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
    const paths = filesOf ? await filesOf(options as never, context.templateDir) : [];
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
  await checkPolicy(image, catalog, templateDir, diagnostics);
  const paths = await filesOfPolicy(image, catalog, templateDir);
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
