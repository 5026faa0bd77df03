import { type Diagnostic, hasErrors, startOf } from '../core/diagnostic.ts';
import type { Source } from '../core/plugin.ts';
import { type BuildBlock, nearest, type SourceUse, type Template } from '../template/index.ts';
import type { Catalog } from './catalog.ts';
import type { ImageBlock } from './image-file.ts';
import type { MissingComponents } from './missing-components.ts';
import type { Selection } from './select.ts';

/** A source that is to be built, and the image block that speaks of it. */
export interface Target {
  readonly build: BuildBlock;
  readonly use: SourceUse;
  readonly image: ImageBlock | undefined;
  /** Absent where the type is known, but not ours. */
  readonly source: Source<never> | undefined;
  /** Unique among the targets. */
  readonly name: string;
}

interface Request {
  readonly template: Template;
  readonly catalog: Catalog;
}

/** The builds that -only and -except leave, each with its image block. */
export function findTargets(
  request: Request,
  selection: Selection,
  images: readonly ImageBlock[] | undefined,
  missing: MissingComponents,
  diagnostics: Diagnostic[],
): Target[] {
  const { template, catalog } = request;
  const all = template.builds.flatMap((build) => build.sources.map((use) => ({ build, use })));
  const names = all.map(({ build, use }) => fullName(build, use));
  checkReferences(images ?? [], all, names, diagnostics);
  checkUnusedSources(template, all, catalog, missing, diagnostics);
  const targets: Target[] = [];
  const taken = new Set<string>();
  for (const { build, use } of all) {
    const selector = {
      fullName: fullName(build, use),
      ...(template.syntax === 'legacy' && { legacyName: use.name }),
    };
    if (!selection.selects(selector)) continue;
    const source = catalog.sources.get(use.type);
    if (!source) missing.add('builders', use, catalog.sources.keys(), diagnostics);
    const image = images?.find((i) =>
      i.build === undefined ? all.length === 1 : means(i.build, build, use),
    );
    const name = freeName([image?.name ?? use.name, fullName(build, use)], taken);
    targets.push({ build, use, image, source, name });
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

/** What -only selects: `type.name`, with the build's name in front where it has one. */
export function fullName(build: BuildBlock, use: SourceUse): string {
  return build.name === undefined ? `${use.type}.${use.name}` : `${build.name}.${use.type}.${use.name}`;
}

/** The first name that is free, else the last one with a number. */
function freeName(names: readonly string[], taken: Set<string>): string {
  const last = names.at(-1) as string;
  let name = names.find((n) => !taken.has(n));
  for (let i = 2; name === undefined; i++) if (!taken.has(`${last}-${i}`)) name = `${last}-${i}`;
  taken.add(name);
  return name;
}

function means(reference: string, build: BuildBlock, use: SourceUse): boolean {
  return reference === fullName(build, use) || reference === `${use.type}.${use.name}`;
}

function checkReferences(
  images: readonly ImageBlock[],
  all: readonly { readonly build: BuildBlock; readonly use: SourceUse }[],
  names: readonly string[],
  diagnostics: Diagnostic[],
): void {
  for (const image of images) {
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
}

/** A source that no build uses must still be of a type that exists, as Packer has it. */
function checkUnusedSources(
  template: Template,
  all: readonly { readonly use: SourceUse }[],
  catalog: Catalog,
  missing: MissingComponents,
  diagnostics: Diagnostic[],
): void {
  for (const block of template.sources) {
    if (catalog.sources.has(block.type) || all.some(({ use }) => use.type === block.type)) continue;
    missing.add('builders', block, catalog.sources.keys(), diagnostics);
  }
}
