import type { Json } from '../../core/digest.ts';

/** A legacy template under repair. */
export type Template = Record<string, Json>;
/** A builder, provisioner or post-processor of it. */
export type Block = Record<string, Json>;
export type Predicate = (block: Block) => boolean;

/** All objects of a list, those of nested lists too. */
export function blocksOf(template: Template, kind: 'builders' | 'provisioners' | 'post-processors'): Block[] {
  const list = template[kind];
  return (Array.isArray(list) ? (list as Json[]).flat() : []).filter(
    (item): item is Block => typeof item === 'object' && item !== null && !Array.isArray(item),
  );
}

export function typeIs(...types: readonly string[]): Predicate {
  return ({ type }) => types.includes(type as string);
}

export const isVirtualbox = typeIs('virtualbox', 'virtualbox-iso', 'virtualbox-ovf', 'virtualbox-vm');

export function remove(block: Block, name: string): void {
  delete block[name];
}

/** Gives a setting its new name; one that has that name already wins. */
export function rename(block: Block, from: string, to: string): void {
  if (!Object.hasOwn(block, from)) return;
  if (!Object.hasOwn(block, to)) block[to] = block[from] as Json;
  delete block[from];
}

/** Replaces a pattern in all strings of a block, however deep. */
export function replaceText(block: Block, pattern: RegExp, by: string): void {
  const walk = (value: Json): Json => {
    if (typeof value === 'string') return value.replace(pattern, by);
    if (Array.isArray(value)) return value.map((item: Json) => walk(item));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item as Json)]));
    return value;
  };
  for (const [key, value] of Object.entries(block)) block[key] = walk(value);
}

/** Moves settings into an object of their own, or into the first object of a list. */
export function moveInto(block: Block, target: string, names: readonly string[], list = false): void {
  const moved = names.filter((name) => Object.hasOwn(block, name));
  if (moved.length === 0) return;
  const inner = Object.fromEntries(moved.map((name) => [name, block[name] as Json]));
  for (const name of moved) delete block[name];
  const before = block[target];
  if (list) block[target] = [inner, ...(Array.isArray(before) ? (before as Json[]) : [])];
  else block[target] = { ...(before as Block | undefined), ...inner };
}
