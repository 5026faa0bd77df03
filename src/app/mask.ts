import type { BuildEvent, Emit } from '../core/event.ts';

/** Shorter values would mask half of every log. Packer masks everything; a secret of one letter is none. */
const SHORTEST = 3;

/** Texts that must not be shown. */
export interface Mask {
  add(secret: string): void;
  isEmpty(): boolean;
  /** The text with every secret replaced. */
  hide(text: string): string;
}

/** A mask for these texts, and for those that it learns later. */
export function createMask(secrets: readonly string[] = []): Mask {
  const values = new Set<string>();
  let longestFirst: readonly string[] = [];
  const add = (secret: string): void => {
    const before = values.size;
    // A line of a many-line secret counts, too.
    for (const part of [secret, ...secret.split('\n')]) if (part.length >= SHORTEST) values.add(part);
    // So that a secret that contains another goes whole.
    if (values.size > before) longestFirst = [...values].sort((a, b) => b.length - a.length);
  };
  for (const secret of secrets) add(secret);
  return {
    add,
    isEmpty: () => values.size === 0,
    hide: (text) => longestFirst.reduce((t, v) => t.replaceAll(v, '<sensitive>'), text),
  };
}

/** `emit` with every secret value replaced, in whatever field of the event it stands. */
export function maskingEmit(emit: Emit, mask: Mask): Emit {
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return mask.hide(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, walk(v)]));
    return value;
  };
  return (event) => emit(mask.isEmpty() ? event : (walk(event) as BuildEvent));
}
