import type { Diagnostic } from '../../core/diagnostic.ts';
import { type Evaluation, evaluateIn, expectType, fault } from '../eval/evaluate.ts';
import { knownElements } from '../eval/for.ts';
import { type EvalScope, innerScope } from '../eval/scope.ts';
import type { HclBlock, HclBody } from '../hcl/ast.ts';
import { iteratorOf } from '../hcl/bind.ts';
import { withJsonBlocks } from '../json/json-blocks.ts';
import { STRING } from '../value/type.ts';
import { mark, object } from '../value/value.ts';

/** A block, and what its expressions see. */
export interface ScopedBlock {
  readonly block: HclBlock;
  readonly scope: EvalScope;
}

/** More blocks than this come of an error in `for_each`. */
const MAX_BLOCKS = 10_000;

/** The blocks of a body with its `dynamic` blocks written out (hcl/ext/dynblock). `unknown` tells that not all are. */
export function expandBlocks(
  body: HclBody,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): { blocks: ScopedBlock[]; unknown: boolean } {
  const blocks: ScopedBlock[] = [];
  let unknown = false;
  for (const block of body.blocks) {
    if (block.type !== 'dynamic') {
      blocks.push({ block, scope });
      continue;
    }
    const made = expand(block, { scope, diagnostics });
    if (!made) unknown = true;
    else if (blocks.length + made.length > MAX_BLOCKS) {
      fault(
        { scope, diagnostics },
        'template/out-of-range',
        `this makes more than ${MAX_BLOCKS} blocks`,
        block.range,
      );
    } else blocks.push(...made);
  }
  return { blocks, unknown };
}

/** Blocks that a `dynamic` block stands for; undefined while `for_each` is not known. */
function expand(written: HclBlock, run: Evaluation): ScopedBlock[] | undefined {
  const block = {
    ...written,
    body: withJsonBlocks(written.body, new Map([['content', 0]]), run.diagnostics),
  };
  const [type] = block.labels;
  const forEach = block.body.attributes.get('for_each');
  const content = block.body.blocks.find((b) => b.type === 'content');
  if (
    type === undefined ||
    block.labels.length !== 1 ||
    !forEach ||
    !content ||
    block.body.blocks.length !== 1
  ) {
    const hint = 'Write `dynamic "TYPE" { for_each = … content { … } }`.';
    fault(
      run,
      'template/dynamic-block',
      'a dynamic block has one label, for_each and one content block',
      block.range,
      hint,
    );
    return [];
  }
  for (const [name, attribute] of block.body.attributes) {
    if (name === 'for_each' || name === 'iterator' || name === 'labels') continue;
    fault(
      run,
      'template/unknown-argument',
      `a dynamic block has no argument "${name}"; expected for_each, iterator, labels`,
      attribute.nameRange,
    );
  }
  const iterator = iteratorName(block, type, run);
  const collection = evaluateIn(forEach.expression, run);
  const items = knownElements(collection, forEach.expression.range, run);
  if (!items) return collection.data === undefined ? undefined : [];
  return items.map(([key, value]) => {
    const turn = object(
      new Map([
        ['key', mark(key, collection.marks)],
        ['value', mark(value, collection.marks)],
      ]),
    );
    const scope = innerScope(run.scope, new Map([[iterator, turn]]));
    const labels = labelsOf(block, { scope, diagnostics: run.diagnostics });
    const labelRanges = labels.map(() => block.range);
    return { block: { type, labels, labelRanges, body: content.body, range: block.range }, scope };
  });
}

function iteratorName(block: HclBlock, type: string, run: Evaluation): string {
  const name = iteratorOf(block);
  if (name !== undefined) return name;
  const range = block.body.attributes.get('iterator')?.expression.range ?? block.range;
  fault(run, 'template/dynamic-block', 'iterator is a bare name', range);
  return type;
}

function labelsOf(block: HclBlock, run: Evaluation): string[] {
  const attribute = block.body.attributes.get('labels');
  if (!attribute) return [];
  const value = evaluateIn(attribute.expression, run);
  const items = knownElements(value, attribute.expression.range, run) ?? [];
  return items.map(([, item]) => {
    const label = expectType(item, STRING, 'a label', attribute.expression.range, run);
    return typeof label.data === 'string' ? label.data : '';
  });
}
