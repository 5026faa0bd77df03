import { error } from '../diagnostics.ts';
import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import type { Expression, HclBlock, HclBody } from '../hcl/ast.ts';
import { references } from '../hcl/references.ts';
import { BOOL } from '../value/type.ts';
import type { EvalScope } from '../eval/scope.ts';
import { checkLabels, checkName, readContent } from './content.ts';
import { readConstant } from './variables.ts';

/** A `local`, as written. */
export interface LocalInfo {
  readonly name: string;
  readonly expression: Expression;
  readonly sensitive: boolean;
  readonly range: SourceRange;
}

/** A `data` block, as written. */
export interface DataBlock {
  readonly type: string;
  readonly name: string;
  readonly body: HclBody;
  readonly range: SourceRange;
}

/** Reads `locals` and `local` blocks. */
export function readLocals(body: HclBody, scope: EvalScope, diagnostics: Diagnostic[]): LocalInfo[] {
  const found = new Map<string, LocalInfo>();
  const add = (info: LocalInfo): void => {
    const first = found.get(info.name);
    if (!first) found.set(info.name, info);
    else diagnostics.push(duplicate(`the local "${info.name}"`, first.range, info.range));
  };
  for (const block of body.blocks) {
    if (block.type === 'locals' && checkLabels(block, [], diagnostics)) {
      readContent(
        block.body,
        { what: 'a locals block', attributes: [...block.body.attributes.keys()], blocks: {} },
        diagnostics,
      );
      for (const { name, expression, nameRange } of block.body.attributes.values())
        add({ name, expression, sensitive: false, range: nameRange });
    } else if (
      block.type === 'local' &&
      checkLabels(block, ['NAME'], diagnostics) &&
      checkName(block, 0, diagnostics)
    ) {
      const local = readLocal(block, scope, diagnostics);
      if (local) add(local);
    }
  }
  return [...found.values()];
}

function readLocal(block: HclBlock, scope: EvalScope, diagnostics: Diagnostic[]): LocalInfo | undefined {
  readContent(
    block.body,
    { what: 'a local block', attributes: ['expression', 'sensitive'], blocks: {} },
    diagnostics,
  );
  const expression = block.body.attributes.get('expression')?.expression;
  const sensitive = readConstant(block.body, 'sensitive', BOOL, scope, diagnostics) === true;
  if (expression) return { name: block.labels[0] as string, expression, sensitive, range: block.range };
  diagnostics.push(
    error('template/missing-argument', 'the argument "expression" is required and missing', block.range),
  );
  return undefined;
}

/** Reads `data` blocks. */
export function readData(body: HclBody, diagnostics: Diagnostic[]): DataBlock[] {
  const found = new Map<string, DataBlock>();
  for (const block of body.blocks) {
    if (block.type !== 'data' || !checkLabels(block, ['TYPE', 'NAME'], diagnostics)) continue;
    const [type, name] = block.labels as [string, string];
    if (!checkName(block, 1, diagnostics)) continue;
    const first = found.get(`${type}.${name}`);
    if (first) diagnostics.push(duplicate(`the data source "${type}.${name}"`, first.range, block.range));
    else found.set(`${type}.${name}`, { type, name, body: block.body, range: block.range });
  }
  return [...found.values()];
}

export function duplicate(what: string, first: SourceRange, second: SourceRange): Diagnostic {
  return error(
    'template/duplicate',
    `${what} was already defined in ${first.file}, line ${first.start.line}`,
    second,
    'Remove one of the two, or give it another name.',
  );
}

/** Something whose value others need: a local or a data source. */
export interface Node {
  /** `local.x`, `data.http.x` */
  readonly id: string;
  readonly range: SourceRange;
  readonly local?: LocalInfo;
  readonly data?: DataBlock;
}

/** Locals and data sources in an order in which each comes behind what it needs. Cycles are reported and left out. */
export function orderNodes(
  locals: readonly LocalInfo[],
  data: readonly DataBlock[],
  diagnostics: Diagnostic[],
): Node[] {
  const nodes = new Map<string, Node>();
  for (const source of data)
    nodes.set(`data.${source.type}.${source.name}`, {
      id: `data.${source.type}.${source.name}`,
      range: source.range,
      data: source,
    });
  for (const local of locals)
    nodes.set(`local.${local.name}`, { id: `local.${local.name}`, range: local.range, local });
  const done = new Map<string, 'open' | 'done'>();
  const ordered: Node[] = [];
  for (const start of nodes.values()) {
    if (done.has(start.id)) continue;
    // A stack of our own: a chain of locals may be longer than the engine's.
    const stack = [{ node: start, needs: needsOf(start, nodes), next: 0 }];
    done.set(start.id, 'open');
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const need = top.needs[top.next++];
      if (!need) {
        done.set(top.node.id, 'done');
        ordered.push(top.node);
        stack.pop();
      } else if (done.get(need.id) === 'open') {
        const from = stack.findIndex((s) => s.node.id === need.id);
        const chain = [...stack.slice(from).map((s) => s.node.id), need.id];
        const shown = chain.length > 12 ? [...chain.slice(0, 6), '…', ...chain.slice(-5)] : chain;
        diagnostics.push(
          error(
            'template/cycle',
            `${need.id} needs itself: ${shown.join(' → ')}`,
            need.range,
            'Break the circle: one of them must not use the next.',
          ),
        );
      } else if (!done.has(need.id)) {
        done.set(need.id, 'open');
        stack.push({ node: need, needs: needsOf(need, nodes), next: 0 });
      }
    }
  }
  return ordered;
}

function needsOf(node: Node, nodes: ReadonlyMap<string, Node>): Node[] {
  const expressions = node.local ? [node.local.expression] : expressionsOf((node.data as DataBlock).body);
  const needs = new Set<Node>();
  for (const { root, path } of expressions.flatMap((e) => references(e))) {
    const length = root === 'local' ? 1 : 2;
    if (root !== 'local' && root !== 'data') continue;
    const prefix = [root, ...path.slice(0, length)].join('.');
    const exact = nodes.get(prefix);
    if (exact) needs.add(exact);
    // `local` or `data.http` as a whole: all that is in it.
    else if (path.length < length)
      for (const [id, other] of nodes) if (id.startsWith(`${prefix}.`) && other !== node) needs.add(other);
  }
  return [...needs];
}

function expressionsOf(body: HclBody): Expression[] {
  return [
    ...[...body.attributes.values()].map((a) => a.expression),
    ...body.blocks.flatMap((b) => expressionsOf(b.body)),
  ];
}
