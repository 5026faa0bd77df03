import { error } from '../diagnostics.ts';
import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import { unknownBuild } from '../eval/build-namespace.ts';
import { evaluate } from '../eval/evaluate.ts';
import { type EvalScope, withVariables } from '../eval/scope.ts';
import type { HclBlock, HclBody } from '../hcl/ast.ts';
import { mergeBodies, withoutAttributes } from '../hcl/body.ts';
import { suggestion } from '../nearest.ts';
import { listOf, STRING } from '../value/type.ts';
import { itemsOf, NULL, object, string, type Value } from '../value/value.ts';
import { checkLabels, checkName } from './content.ts';
import { readDynamicContent } from './dynamic-content.ts';
import { type Registry, readRegistry } from './registry.ts';
import { duplicate } from './locals.ts';
import { type PostProcessorBlock, readPostProcessor } from './post-processors.ts';
import { type ProvisionerBlock, readProvisioner } from './provisioners.ts';
import { convertTo, readConstant } from './variables.ts';

/** A `source` block at the top of a template. */
export interface SourceBlock {
  readonly type: string;
  readonly name: string;
  readonly body: HclBody;
  readonly range: SourceRange;
}

/** A source as one build uses it. */
export interface SourceUse {
  readonly type: string;
  /** The source's name, or the one that the build gives it. */
  readonly name: string;
  /** The source's body with what the build sets over it. */
  readonly body: HclBody;
  readonly range: SourceRange;
  /** Knows `source.type`, `source.name` and `build`. */
  readonly scope: EvalScope;
}

export interface BuildBlock {
  readonly name?: string;
  readonly description?: string;
  readonly sources: readonly SourceUse[];
  /** `type.name` of all sources that it names, also of those that are not there. */
  readonly sourceNames: readonly string[];
  readonly provisioners: readonly ProvisionerBlock[];
  readonly errorCleanup?: ProvisionerBlock;
  /** Chains: in each, one takes what the one before it made. */
  readonly postProcessors: readonly (readonly PostProcessorBlock[])[];
  /** What Packer would tell HCP's registry of this build. */
  readonly registry?: Registry;
  readonly range: SourceRange;
}

/** Reads `source` blocks. */
export function readSources(body: HclBody, diagnostics: Diagnostic[]): Map<string, SourceBlock> {
  const found = new Map<string, SourceBlock>();
  for (const block of body.blocks) {
    if (block.type !== 'source' || !checkLabels(block, ['TYPE', 'NAME'], diagnostics)) continue;
    const [type, name] = block.labels as [string, string];
    if (!checkName(block, 1, diagnostics)) continue;
    const key = `${type}.${name}`;
    const first = found.get(key);
    if (first) diagnostics.push(duplicate(`the source "${key}"`, first.range, block.range));
    else found.set(key, { type, name, body: block.body, range: block.range });
  }
  return found;
}

const BUILD = {
  what: 'a build block',
  attributes: ['name', 'description', 'sources'],
  blocks: {
    source: 1,
    provisioner: 1,
    'error-cleanup-provisioner': 1,
    'post-processor': 1,
    'post-processors': 0,
    hcp_packer_registry: 0,
  },
};

/** Reads `build` blocks. */
export function readBuilds(
  body: HclBody,
  sources: ReadonlyMap<string, SourceBlock>,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): BuildBlock[] {
  const builds: BuildBlock[] = [];
  for (const block of body.blocks) {
    if (block.type !== 'build' || !checkLabels(block, [], diagnostics)) continue;
    builds.push(readBuild(block, sources, scope, diagnostics));
  }
  return builds;
}

function readBuild(
  block: HclBlock,
  sources: ReadonlyMap<string, SourceBlock>,
  outer: EvalScope,
  diagnostics: Diagnostic[],
): BuildBlock {
  const body = readDynamicContent(block.body, BUILD, outer, diagnostics);
  const name = readConstant(body, 'name', STRING, outer, diagnostics);
  const description = readConstant(body, 'description', STRING, outer, diagnostics);
  const buildName: Value = typeof name === 'string' ? string(name) : NULL;
  const scope = withVariables(outer, { build: unknownBuild(buildName) });
  const sourceNames: string[] = [];
  const uses = [
    ...listedSources(body, sources, scope, sourceNames, diagnostics),
    ...sourceBlocks(body, sources, scope, sourceNames, diagnostics),
  ];
  const provisioners: ProvisionerBlock[] = [];
  const chains: PostProcessorBlock[][] = [];
  let errorCleanup: ProvisionerBlock | undefined;
  let registry: Registry | undefined;
  for (const inner of body.blocks) {
    if (inner.type === 'provisioner') push(provisioners, readProvisioner(inner, scope, diagnostics));
    else if (inner.type === 'error-cleanup-provisioner') {
      if (errorCleanup)
        diagnostics.push(duplicate('the error-cleanup-provisioner', errorCleanup.range, inner.range));
      errorCleanup = readProvisioner(inner, scope, diagnostics);
    } else if (inner.type === 'post-processor') {
      const found = readPostProcessor(inner, scope, diagnostics);
      if (found) chains.push([found]);
    } else if (inner.type === 'post-processors') chains.push(readChain(inner, scope, diagnostics));
    else if (inner.type === 'hcp_packer_registry') {
      if (registry) diagnostics.push(duplicate('the hcp_packer_registry block', registry.range, inner.range));
      registry = readRegistry(inner, scope, diagnostics);
    }
  }
  return {
    ...(typeof name === 'string' && { name }),
    ...(typeof description === 'string' && { description }),
    sources: uses,
    sourceNames,
    provisioners,
    ...(errorCleanup && { errorCleanup }),
    postProcessors: chains,
    ...(registry && { registry }),
    range: block.range,
  };
}

function push<T>(list: T[], item: T | undefined): void {
  if (item !== undefined) list.push(item);
}

function readChain(block: HclBlock, scope: EvalScope, diagnostics: Diagnostic[]): PostProcessorBlock[] {
  checkLabels(block, [], diagnostics);
  const body = readDynamicContent(
    block.body,
    { what: 'a post-processors block', attributes: [], blocks: { 'post-processor': 1 } },
    scope,
    diagnostics,
  );
  const chain: PostProcessorBlock[] = [];
  for (const inner of body.blocks)
    if (inner.type === 'post-processor') push(chain, readPostProcessor(inner, scope, diagnostics));
  return chain;
}

/** `sources = ["type.name", "source.type.name"]` */
function listedSources(
  body: HclBody,
  sources: ReadonlyMap<string, SourceBlock>,
  scope: EvalScope,
  names: string[],
  diagnostics: Diagnostic[],
): SourceUse[] {
  const attribute = body.attributes.get('sources');
  if (!attribute) return [];
  const { expression } = attribute;
  const value = convertTo(
    evaluate(expression, scope, diagnostics),
    listOf(STRING),
    'sources',
    expression.range,
    diagnostics,
  );
  return itemsOf(value).flatMap((item, index) => {
    const range =
      (expression.kind === 'tuple' ? expression.items[index]?.range : undefined) ?? expression.range;
    if (item.data === null) {
      diagnostics.push(
        error('template/null-value', 'a source is null; expected "source.TYPE.NAME" or "TYPE.NAME"', range),
      );
    }
    if (typeof item.data !== 'string') return [];
    names.push(keyOf(item.data));
    const source = findSource(item.data, sources, range, diagnostics);
    return source ? [useOf(source, source.name, source.body, range, scope)] : [];
  });
}

/** `source "type.name" { … }` inside a build: the same source, with more set. */
function sourceBlocks(
  body: HclBody,
  sources: ReadonlyMap<string, SourceBlock>,
  scope: EvalScope,
  names: string[],
  diagnostics: Diagnostic[],
): SourceUse[] {
  return body.blocks.flatMap((block) => {
    if (block.type !== 'source' || !checkLabels(block, ['TYPE.NAME'], diagnostics)) return [];
    const source = findSource(block.labels[0] as string, sources, block.range, diagnostics);
    const name = readConstant(block.body, 'name', STRING, scope, diagnostics);
    const [type, given] = keyOf(block.labels[0] as string).split('.');
    names.push(`${type}.${typeof name === 'string' ? name : given}`);
    if (!source) return [];
    const own = typeof name === 'string' ? name : source.name;
    return [
      useOf(
        source,
        own,
        mergeBodies([source.body, withoutAttributes(block.body, ['name'])]),
        block.range,
        scope,
      ),
    ];
  });
}

function useOf(
  source: SourceBlock,
  name: string,
  body: HclBody,
  range: SourceRange,
  scope: EvalScope,
): SourceUse {
  const names = object(
    new Map([
      ['type', string(source.type)],
      ['name', string(name)],
    ]),
  );
  return { type: source.type, name, body, range, scope: withVariables(scope, { source: names }) };
}

function findSource(
  reference: string,
  sources: ReadonlyMap<string, SourceBlock>,
  range: SourceRange,
  diagnostics: Diagnostic[],
): SourceBlock | undefined {
  const key = keyOf(reference);
  const found = sources.get(key);
  if (found) return found;
  const known = [...sources.keys()];
  const otherwise =
    known.length === 0 ? 'The template has no source block.' : `There is: ${known.sort().join(', ')}.`;
  diagnostics.push(
    error(
      'template/unknown-source',
      `there is no source "${reference}"; expected TYPE.NAME of a source block`,
      range,
      suggestion(key, known, otherwise),
    ),
  );
  return undefined;
}

/** `type.name` of a reference to a source. */
function keyOf(reference: string): string {
  return reference.replace(/^sources?\./, '');
}
