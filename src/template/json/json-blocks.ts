import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import { error } from '../diagnostics.ts';
import type { HclAttribute, HclBlock, HclBody } from '../hcl/ast.ts';
import { bindBlock } from '../hcl/bind.ts';
import type { JsonNode } from './json-node.ts';
import { bodyOfNode, type JsonSource } from './parse-json-body.ts';

/**
 * The body with those attributes turned into blocks that came from JSON and have a block's name. `types`: how many
 * labels each type of block has; a level of objects stands for each label (hcl/json/spec.md, "Blocks").
 */
export function withJsonBlocks(
  body: HclBody,
  types: ReadonlyMap<string, number>,
  diagnostics: Diagnostic[],
): HclBody {
  const made: HclBlock[] = [];
  const attributes = new Map<string, HclAttribute>();
  for (const [name, attribute] of body.attributes) {
    const labels = types.get(name);
    if (labels === undefined || !attribute.json) attributes.set(name, attribute);
    else {
      const { source: text, strings, bound } = attribute.json;
      const source = { text, diagnostics, templates: [], ...(strings && { strings }) };
      const own: HclBlock[] = [];
      expand(name, attribute.json.node, labels, [], [], attribute.nameRange, { made: own, source });
      made.push(...(bound ? own.map((block) => bindBlock(block, bound)) : own));
    }
  }
  return made.length === 0 && attributes.size === body.attributes.size
    ? body
    : { ...body, attributes, blocks: [...body.blocks, ...made] };
}

interface Making {
  readonly made: HclBlock[];
  readonly source: JsonSource;
}

function expand(
  type: string,
  node: JsonNode,
  missing: number,
  labels: readonly string[],
  labelRanges: readonly SourceRange[],
  range: SourceRange,
  making: Making,
): void {
  if (node.kind === 'null') return;
  if (node.kind === 'array') {
    for (const item of node.items) expand(type, item, missing, labels, labelRanges, range, making);
  } else if (node.kind !== 'object') {
    const what =
      missing > 0 ? `an object whose keys are labels of ${type}` : `an object with what ${type} holds`;
    making.source.diagnostics.push(
      error('template/syntax', `expected ${what}, got ${node.kind}`, node.range),
    );
  } else if (missing > 0) {
    for (const { key, value } of node.members) {
      if (key.value === '//') continue;
      expand(
        type,
        value,
        missing - 1,
        [...labels, key.value],
        [...labelRanges, key.range],
        key.range,
        making,
      );
    }
  } else {
    making.made.push({ type, labels, labelRanges, body: bodyOfNode(node, making.source), range });
  }
}
