import type { Diagnostic } from '../../core/diagnostic.ts';
import { expandBlocks } from '../decode/dynamic-blocks.ts';
import type { EvalScope, Variable } from '../eval/scope.ts';
import { isNamespace } from '../eval/scope.ts';
import type { HclBlock, HclBody } from '../hcl/ast.ts';
import { bindBody } from '../hcl/bind.ts';
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
