import { startOf } from '../../core/diagnostic.ts';
import type { HclAttribute, HclBody } from './ast.ts';

/** A body that holds nothing; `file` names where it would be. */
export function emptyBody(file: string): HclBody {
  return { attributes: new Map(), blocks: [], range: startOf(file) };
}

/** Several bodies as one: of attributes of one name the last wins, blocks come one after the other. */
export function mergeBodies(bodies: readonly HclBody[]): HclBody {
  const [first, ...others] = bodies;
  if (!first) return emptyBody('');
  if (others.length === 0) return first;
  const attributes = new Map<string, HclAttribute>();
  for (const body of bodies) for (const [name, attribute] of body.attributes) attributes.set(name, attribute);
  return { attributes, blocks: bodies.flatMap((b) => b.blocks), range: first.range };
}

/** The body without blocks of these types. */
export function withoutBlocks(body: HclBody, types: readonly string[]): HclBody {
  return { ...body, blocks: body.blocks.filter((b) => !types.includes(b.type)) };
}

/** The body without these attributes. */
export function withoutAttributes(body: HclBody, names: readonly string[]): HclBody {
  return { ...body, attributes: new Map([...body.attributes].filter(([name]) => !names.includes(name))) };
}
