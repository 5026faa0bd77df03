import type { Value } from '../value/value.ts';
import type { HclAttribute, HclBlock, HclBody } from './ast.ts';

type Variables = ReadonlyMap<string, Value>;

/** The body with variables known in all its expressions: those of a `dynamic` block that it was written out of. */
export function bindBody(body: HclBody, variables: Variables): HclBody {
  const attributes = [...body.attributes].map(([name, a]) => [name, bindAttribute(a, variables)] as const);
  return {
    ...body,
    attributes: new Map(attributes),
    blocks: body.blocks.map((b) => bindBlock(b, variables)),
  };
}

/** A dynamic block's own iterator hides ours of the same name in its content. */
export function bindBlock(block: HclBlock, variables: Variables): HclBlock {
  const body = bindBody(block.body, variables);
  if (block.type !== 'dynamic') return { ...block, body };
  const own = iteratorOf(block);
  const others = new Map([...variables].filter(([name]) => name !== own));
  const attributes = new Map(body.attributes);
  const content = block.body.attributes.get('content');
  if (content) attributes.set('content', bindAttribute(content, others));
  return {
    ...block,
    body: { ...body, attributes, blocks: block.body.blocks.map((b) => bindBlock(b, others)) },
  };
}

/** Name of a dynamic block's iterator: a bare name, in JSON a string of it (ext/dynblock); undefined for others. */
export function iteratorOf({ labels, body }: HclBlock): string | undefined {
  const attribute = body.attributes.get('iterator');
  if (!attribute) return labels[0];
  if (attribute.expression.kind === 'variable') return attribute.expression.name;
  const { json } = attribute;
  const name = json?.node.kind === 'string' ? json.node.value : '';
  return /^[\p{ID_Start}_][\p{ID_Continue}-]*$/u.test(name) ? name : undefined;
}

function bindAttribute(attribute: HclAttribute, variables: Variables): HclAttribute {
  const { name, expression: inner, json } = attribute;
  // The iterator of an inner dynamic block is a bare name, not an expression.
  if (name === 'iterator' && inner.kind === 'variable') return attribute;
  return {
    ...attribute,
    expression: { kind: 'bound', variables, inner, range: inner.range },
    ...(json && { json: { ...json, bound: new Map([...variables, ...(json.bound ?? [])]) } }),
  };
}
