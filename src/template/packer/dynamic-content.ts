import type { Diagnostic } from '../../core/diagnostic.ts';
import { expandBlocks } from '../decode/dynamic-blocks.ts';
import type { EvalScope, Variable } from '../eval/scope.ts';
import { isNamespace } from '../eval/scope.ts';
import type { HclBlock, HclBody } from '../hcl/ast.ts';
import type { Value } from '../value/value.ts';
import { type Content, readContent } from './content.ts';

/**
 * `readContent` of a body whose blocks may be `dynamic` ones: those are written out, the iterator bound in all
 * expressions. Where `for_each` is not known yet there are none.
 */
export function readDynamicContent(
  body: HclBody,
  content: Content,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): HclBody {
  const read = readContent(body, { ...content, blocks: { ...content.blocks, dynamic: 1 } }, diagnostics);
  if (!read.blocks.some((block) => block.type === 'dynamic')) return read;
  const made: HclBlock[] = [];
  const blocks = expandBlocks(read, scope, diagnostics).blocks.map(({ block, scope: inner }) => {
    if (inner === scope) return block;
    const bound = { ...block, body: bindBody(block.body, values(inner.variables)) };
    made.push(bound);
    return bound;
  });
  readContent({ ...read, attributes: new Map(), blocks: made }, content, diagnostics);
  return { ...read, blocks };
}

function values(variables: ReadonlyMap<string, Variable>): ReadonlyMap<string, Value> {
  return new Map([...variables].flatMap(([name, v]) => (isNamespace(v) ? [] : [[name, v] as const])));
}

function bindBody(body: HclBody, variables: ReadonlyMap<string, Value>): HclBody {
  const attributes = [...body.attributes].map(([name, attribute]) => {
    const { expression: inner } = attribute;
    // The iterator of an inner dynamic block is a bare name, not an expression.
    if (name === 'iterator' && inner.kind === 'variable') return [name, attribute] as const;
    return [
      name,
      { ...attribute, expression: { kind: 'bound', variables, inner, range: inner.range } as const },
    ] as const;
  });
  return {
    ...body,
    attributes: new Map(attributes),
    blocks: body.blocks.map((b) => bindBlock(b, variables)),
  };
}

/** A dynamic block's own iterator hides ours of the same name. */
function bindBlock(block: HclBlock, variables: ReadonlyMap<string, Value>): HclBlock {
  const bound = bindBody(block.body, variables);
  if (block.type !== 'dynamic') return { ...block, body: bound };
  const iterator = block.body.attributes.get('iterator')?.expression;
  const own = iterator?.kind === 'variable' ? iterator.name : block.labels[0];
  const others = new Map([...variables].filter(([name]) => name !== own));
  const blocks = block.body.blocks.map((b) => bindBlock(b, others));
  return { ...block, body: { ...bound, blocks } };
}
