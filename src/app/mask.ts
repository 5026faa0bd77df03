import type { BuildEvent, Emit } from '../core/event.ts';

/** Shorter values would mask half of every log. Packer masks everything; a secret of one letter is none. */
const SHORTEST = 3;

/** `emit` with every secret value replaced, in whatever field of the event it stands. */
export function maskingEmit(emit: Emit, secrets: readonly string[]): Emit {
  // Longest first, so that a secret that contains another goes whole; a line of a many-line secret counts, too.
  const values = [...new Set(secrets.flatMap((s) => [s, ...s.split('\n')]))]
    .filter((s) => s.length >= SHORTEST)
    .sort((a, b) => b.length - a.length);
  if (values.length === 0) return emit;
  const mask = (text: string): string => values.reduce((t, v) => t.replaceAll(v, '<sensitive>'), text);
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return mask(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, walk(v)]));
    return value;
  };
  return (event) => emit(walk(event) as BuildEvent);
}
