import { attr, block as blockSpec, type BodySpec, bodySpec } from '../core/body-spec.ts';
import type { Diagnostic, SourceRange } from '../core/diagnostic.ts';
import type { Json } from '../core/digest.ts';
import { type Engine, ENGINES } from '../core/plugin.ts';
import {
  decodeBody,
  type EvalScope,
  expandBlocks,
  type HclBlock,
  type HclBody,
  nearest,
  type ScopedBlock,
  withoutBlocks,
} from '../template/index.ts';
import type { Catalog } from './catalog.ts';

/** Attributes of an `image` block itself. */
export const imageSpec = bodySpec({
  build: attr.string(
    'Source this image is built from, as `type.name` or `build.type.name`; may be left out where there is one.',
  ),
  engine: attr.string(
    'What provisioners of a disk image run in: "vm", or "container", which mounts the disk and starts its systemd here.',
    { oneOf: ENGINES },
  ),
  version: attr.string('Version of the image; by default `git.version`, from a tag such as release-1.2.0.'),
  output_directory: attr.string(
    'Folder for the outputs, relative to the template; by default `output-NAME`.',
  ),
});

/** A decoded block with the place where it stands. */
export interface Placed {
  readonly type: string;
  readonly options: unknown;
  readonly hashForm: Json;
  readonly range: SourceRange;
}

/** A policy, with the way to the places of its options. */
export interface PlacedPolicy extends Placed {
  readonly rangeOf: (path: readonly (string | number)[]) => SourceRange;
}

/** One `image` block of an image file. */
export interface ImageBlock {
  readonly name: string;
  readonly build?: string;
  readonly version?: string;
  readonly engine?: Engine;
  readonly outputDirectory?: string;
  readonly outputs: readonly Placed[];
  readonly tests: readonly Placed[];
  readonly disk?: Placed;
  readonly seal?: Placed;
  readonly residue?: Placed;
  readonly firstBoot?: Placed;
  readonly release?: Placed;
  readonly policy?: PlacedPolicy;
  readonly range: SourceRange;
}

export interface ImageFile {
  readonly images: readonly ImageBlock[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Blocks of which an image may have many, told apart by their label. */
const LABELLED = ['output', 'test'] as const;
/** Blocks that come once. */
const SINGLE = ['disk', 'seal', 'residue', 'policy', 'first_boot', 'release'] as const;

/** With the names of its blocks, which have specs of their own: for what is said of names that are none. */
const namedSpec: typeof imageSpec = {
  ...imageSpec,
  blocks: Object.fromEntries(
    [...LABELLED, ...SINGLE].map((type) => [type, blockSpec(bodySpec({}), { doc: `The image's ${type}.` })]),
  ),
};

/** Decodes the body of `*.ingot.hcl` files (several are merged by the caller). */
export function decodeImageFile(body: HclBody, catalog: Catalog, scope: EvalScope): ImageFile {
  const diagnostics: Diagnostic[] = [];
  const images: ImageBlock[] = [];
  for (const attribute of body.attributes.values()) {
    diagnostics.push({
      code: 'plan/image-file-attribute',
      severity: 'error',
      message: `an image file holds image blocks only, and this is the attribute ${attribute.name}`,
      range: attribute.range,
      hint: 'Move it into `image "NAME" { … }`.',
    });
  }
  for (const block of body.blocks) {
    if (block.type !== 'image') {
      diagnostics.push(unknownBlock(block, ['image'], 'an image file'));
      continue;
    }
    const image = decodeImage(block, catalog, scope, diagnostics);
    if (!image) continue;
    if (images.some((other) => other.name === image.name)) {
      diagnostics.push({
        code: 'plan/duplicate-image',
        severity: 'error',
        message: `there is an image "${image.name}" already`,
        range: block.range,
        hint: 'Give one of the two another name.',
      });
    }
    images.push(image);
  }
  return { images, diagnostics };
}

function decodeImage(
  block: HclBlock,
  catalog: Catalog,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): ImageBlock | undefined {
  const [name] = block.labels;
  if (name === undefined || block.labels.length !== 1 || !/^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/.test(name)) {
    diagnostics.push({
      code: 'plan/image-name',
      severity: 'error',
      message: `an image block has one label, its name in lower-case letters, digits, ".", "_" and "-"; got ${JSON.stringify(block.labels)}`,
      range: block.range,
      hint: 'Write `image "web" { … }`.',
    });
    return undefined;
  }
  const known = [...LABELLED, ...SINGLE];
  const own = decodeBody(withoutBlocks(block.body, [...known, 'dynamic']), namedSpec, scope);
  diagnostics.push(...own.diagnostics);

  const { blocks } = expandBlocks(block.body, scope, diagnostics);
  const made = blocks.filter((b) => !block.body.blocks.includes(b.block)).map((b) => b.block);
  for (const b of made)
    if (!known.includes(b.type as never)) diagnostics.push(unknownBlock(b, known, 'an image'));
  const placed = ({ block: b, scope: inner }: ScopedBlock, type: string, spec: BodySpec): PlacedPolicy => {
    const decoded = decodeBody(b.body, spec, inner);
    diagnostics.push(...decoded.diagnostics);
    const { options, hashForm, ranges } = decoded;
    return { type, options, hashForm, range: b.range, rangeOf: ranges };
  };
  const labelled = (
    kind: (typeof LABELLED)[number],
    specs: ReadonlyMap<string, { spec: BodySpec }>,
  ): Placed[] =>
    blocks
      .filter((b) => b.block.type === kind)
      .flatMap((b) => {
        const { labels } = b.block;
        const [label] = labels;
        const info = label === undefined ? undefined : specs.get(label);
        if (label === undefined || labels.length !== 1 || !info) {
          diagnostics.push(unknownLabel(b.block, kind, [...specs.keys()]));
          return [];
        }
        return [placed(b, label, info.spec)];
      });
  const single = (kind: (typeof SINGLE)[number]): PlacedPolicy | undefined => {
    const [first, second] = blocks.filter((b) => b.block.type === kind);
    if (second) {
      diagnostics.push({
        code: 'plan/duplicate-block',
        severity: 'error',
        message: `an image has one ${kind} block, and this is the second`,
        range: second.block.range,
        hint: `Merge the two ${kind} blocks.`,
      });
    }
    return first && placed(first, kind, catalog[kind === 'first_boot' ? 'firstBoot' : kind].spec);
  };

  const disk = single('disk');
  const seal = single('seal');
  const residue = single('residue');
  const firstBoot = single('first_boot');
  const policy = single('policy');
  const release = single('release');
  return {
    name,
    ...(own.options?.build !== undefined && { build: own.options.build }),
    ...(own.options?.engine !== undefined && { engine: own.options.engine as Engine }),
    ...(own.options?.version !== undefined && { version: own.options.version }),
    ...(own.options?.output_directory !== undefined && { outputDirectory: own.options.output_directory }),
    outputs: labelled('output', catalog.formats),
    tests: labelled('test', catalog.tests),
    ...(disk && { disk }),
    ...(seal && { seal }),
    ...(residue && { residue }),
    ...(firstBoot && { firstBoot }),
    ...(policy && { policy }),
    ...(release && { release }),
    range: block.range,
  };
}

function unknownBlock(block: HclBlock, known: readonly string[], where: string): Diagnostic {
  const near = nearest(block.type, known);
  return {
    code: 'plan/unknown-block',
    severity: 'error',
    message: `${where} has no block "${block.type}"; expected ${known.join(', ')}`,
    range: block.range,
    ...(near !== undefined && { hint: `Did you mean "${near}"?` }),
  };
}

function unknownLabel(block: HclBlock, kind: string, known: readonly string[]): Diagnostic {
  const got = block.labels.map((l) => JSON.stringify(l)).join(' ') || 'no label';
  const near = block.labels[0] === undefined ? undefined : nearest(block.labels[0], known);
  return {
    code: `plan/unknown-${kind}`,
    severity: 'error',
    message: `${kind} takes one label out of ${known.join(', ')}; got ${got}`,
    range: block.range,
    ...(near !== undefined && { hint: `Did you mean ${kind} "${near}"?` }),
  };
}
