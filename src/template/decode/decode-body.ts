import type { AttributeSpec, BlockSpec, BodySpec, OptionsOf } from '../../core/body-spec.ts';
import { type Diagnostic, hasErrors, type SourceRange } from '../../core/diagnostic.ts';
import type { Json } from '../../core/digest.ts';
import type { GeneratedData } from '../../core/machine.ts';
import { buildNamespace } from '../eval/build-namespace.ts';
import { type EvalScope, withVariables } from '../eval/scope.ts';
import type { HclBody } from '../hcl/ast.ts';
import { withJsonBlocks } from '../json/json-blocks.ts';
import { suggestion } from '../nearest.ts';
import { record } from '../value/json.ts';
import { decodeAttribute } from './decode-attribute.ts';
import { expandBlocks, type ScopedBlock } from './dynamic-blocks.ts';
import { RangeTable } from './range-table.ts';

/** A body as a plugin's options, and all that planning wants to know about it. */
export interface Decoded<O> {
  /** Undefined where there are errors. An option that is not known before the run (`build.*`) is undefined. */
  readonly options: O | undefined;
  /** The options as they enter digests: without `unhashed` ones, secrets as HMACs, the unknown as its text. */
  readonly hashForm: Json;
  /** Some option is not known before the run. */
  readonly unknown: boolean;
  /** The time, a random value or `build.*` reached an option. */
  readonly volatile: boolean;
  /** Texts to be masked wherever they would be shown. */
  readonly secrets: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  /** Where an option was set; the body, or the block around it, where it was not. */
  readonly ranges: (path: readonly (string | number)[]) => SourceRange;
}

/** What decoding gathers on its way through nested bodies. */
export interface Gathering {
  readonly diagnostics: Diagnostic[];
  readonly ranges: RangeTable;
  readonly secrets: Set<string>;
  unknown: boolean;
  volatile: boolean;
}

/** Options and hash form of one body. */
interface Part {
  readonly options: Record<string, unknown>;
  readonly hashForm: Record<string, Json>;
}

/**
 * Decodes a body against a plugin's spec: unknown, missing and mistyped names are reported with the nearest known
 * word, all at once; defaults, formats, `oneOf` and the spec's own `check` are applied.
 */
export function decodeBody<S extends BodySpec>(
  body: HclBody,
  spec: S,
  scope: EvalScope,
  extra: { readonly build?: GeneratedData } = {},
): Decoded<OptionsOf<S>> {
  const ranges = new RangeTable(body.range);
  const gathering: Gathering = {
    diagnostics: [],
    ranges,
    secrets: new Set(),
    unknown: false,
    volatile: false,
  };
  const inner = extra.build ? withVariables(scope, { build: buildNamespace(scope, extra.build) }) : scope;
  const { options, hashForm } = decodeShape(body, spec, inner, [], gathering);
  const { diagnostics, secrets, unknown, volatile } = gathering;
  return {
    options: hasErrors(diagnostics) ? undefined : (options as OptionsOf<S>),
    hashForm,
    unknown,
    volatile,
    secrets: [...secrets],
    diagnostics,
    ranges: (path) => ranges.at(path),
  };
}

type Path = readonly (string | number)[];

function decodeShape(
  given: HclBody,
  spec: BodySpec,
  scope: EvalScope,
  path: Path,
  gathering: Gathering,
): Part {
  const part: Part = { options: record([]), hashForm: record([]) };
  const types = Object.entries(spec.blocks).map(([name, b]): [string, number] => [name, b.labels.length]);
  const body = withJsonBlocks(given, new Map([...types, ['dynamic', 1]]), gathering.diagnostics);
  const before = gathering.diagnostics.length;
  const unknownBefore = gathering.unknown;
  gathering.unknown = false;
  reportUnknownAttributes(body, spec, gathering.diagnostics);
  for (const [name, attribute] of Object.entries(spec.attributes)) {
    const found = body.attributes.get(name);
    if (!found && attribute.required) {
      gathering.diagnostics.push(missing('argument', name, attribute, body));
      continue;
    }
    const decoded = decodeAttribute(found, attribute, scope, [...path, name], gathering);
    if (decoded.option !== undefined) part.options[name] = decoded.option;
    if (!attribute.unhashed && decoded.hashForm !== undefined) part.hashForm[name] = decoded.hashForm;
  }
  const { blocks, unknown } = expandBlocks(body, scope, gathering.diagnostics);
  if (unknown) gathering.unknown = true;
  reportUnknownBlocks(blocks, spec, gathering.diagnostics);
  for (const [name, block] of Object.entries(spec.blocks)) {
    const own = blocks.filter((b) => b.block.type === name);
    decodeBlocks(name, block, own, body, path, part, gathering, unknown);
  }
  const failed = hasErrors(gathering.diagnostics.slice(before));
  if (!failed && !gathering.unknown) runCheck(spec, part.options, path, gathering);
  gathering.unknown ||= unknownBefore;
  return part;
}

function runCheck(spec: BodySpec, options: unknown, path: Path, gathering: Gathering): void {
  for (const problem of spec.check?.(options as never) ?? []) {
    gathering.diagnostics.push({
      code: 'template/invalid-option',
      severity: problem.severity ?? 'error',
      message: problem.message,
      range: gathering.ranges.at([...path, ...problem.path]),
      ...(problem.hint !== undefined && { hint: problem.hint }),
    });
  }
}

function decodeBlocks(
  name: string,
  spec: BlockSpec,
  found: readonly ScopedBlock[],
  body: HclBody,
  path: Path,
  part: Part,
  gathering: Gathering,
  moreMayCome: boolean,
): void {
  if (found.length === 0 && spec.required && !moreMayCome)
    gathering.diagnostics.push(missing('block', name, spec, body));
  if (!spec.many && found.length > 1) {
    const second = (found[1] as ScopedBlock).block;
    gathering.diagnostics.push({
      code: 'template/duplicate',
      severity: 'error',
      message: `there may be one ${name} block, and this is the second`,
      range: second.range,
      hint: 'Merge the two.',
    });
  }
  const parts = found.map(({ block, scope }, index): Part => {
    const at = spec.many ? [...path, name, index] : [...path, name];
    gathering.ranges.set(at, block.range);
    const decoded = decodeShape(block.body, spec.body, scope, at, gathering);
    decodeLabels(block, spec, decoded, at, gathering);
    return decoded;
  });
  if (spec.many) {
    part.options[name] = parts.map((p) => p.options);
    if (parts.length > 0) part.hashForm[name] = parts.map((p) => p.hashForm);
  } else if (parts[0]) {
    part.options[name] = parts[0].options;
    part.hashForm[name] = parts[0].hashForm;
  }
}

function decodeLabels(
  block: ScopedBlock['block'],
  spec: BlockSpec,
  part: Part,
  path: Path,
  gathering: Gathering,
): void {
  if (block.labels.length !== spec.labels.length) {
    const wanted =
      spec.labels.length === 0 ? 'no label' : spec.labels.map((l) => `"${l.toUpperCase()}"`).join(' ');
    const got = block.labels.length === 0 ? 'none' : block.labels.map((l) => `"${l}"`).join(' ');
    gathering.diagnostics.push({
      code: 'template/labels',
      severity: 'error',
      message: `a ${block.type} block takes ${wanted}; got ${got}`,
      range: block.range,
    });
  }
  spec.labels.forEach((label, index) => {
    const text = block.labels[index];
    if (text === undefined) return;
    part.options[label] = text;
    part.hashForm[label] = text;
    const range = block.labelRanges[index];
    if (range) gathering.ranges.set([...path, label], range);
  });
}

function missing(
  kind: 'argument' | 'block',
  name: string,
  spec: AttributeSpec | BlockSpec,
  body: HclBody,
): Diagnostic {
  return {
    code: 'template/missing-argument',
    severity: 'error',
    message: `the ${kind} "${name}" is required and missing`,
    range: body.range,
    hint: `${name}: ${spec.doc}`,
  };
}

function reportUnknownAttributes(body: HclBody, spec: BodySpec, diagnostics: Diagnostic[]): void {
  const known = Object.keys(spec.attributes);
  for (const [name, attribute] of body.attributes) {
    if (Object.hasOwn(spec.attributes, name)) continue;
    const isBlock = Object.hasOwn(spec.blocks, name);
    const hint = isBlock
      ? `${name} is a block: write \`${name} { … }\`.`
      : suggestion(name, [...known, ...Object.keys(spec.blocks)], listing(spec));
    diagnostics.push({
      code: 'template/unknown-argument',
      severity: 'error',
      message: `there is no argument "${name}" here`,
      range: attribute.nameRange,
      ...(hint !== undefined && { hint }),
    });
  }
}

function reportUnknownBlocks(
  blocks: readonly ScopedBlock[],
  spec: BodySpec,
  diagnostics: Diagnostic[],
): void {
  const known = Object.keys(spec.blocks);
  for (const { block } of blocks) {
    if (Object.hasOwn(spec.blocks, block.type)) continue;
    const isAttribute = Object.hasOwn(spec.attributes, block.type);
    const hint = isAttribute
      ? `${block.type} is an argument: write \`${block.type} = …\`.`
      : suggestion(block.type, [...known, ...Object.keys(spec.attributes)], listing(spec));
    diagnostics.push({
      code: 'template/unknown-block',
      severity: 'error',
      message: `there is no block "${block.type}" here`,
      range: block.range,
      ...(hint !== undefined && { hint }),
    });
  }
}

function listing(spec: BodySpec): string | undefined {
  const names = [...Object.keys(spec.attributes), ...Object.keys(spec.blocks)].sort();
  return names.length === 0 ? 'Nothing may be set here.' : `Known here: ${names.join(', ')}.`;
}
