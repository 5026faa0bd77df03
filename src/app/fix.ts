import type { Diagnostic } from '../core/diagnostic.ts';
import type { Json } from '../core/digest.ts';
import { fixLegacy } from '../template/fix/fixers.ts';
import { readLegacy } from './hcl2-upgrade.ts';
import type { Deps } from './session.ts';
import { validate } from './validate.ts';

export interface FixOptions {
  readonly path: string;
  readonly stdin: () => Promise<string>;
  /** Check the fixed template; default true. */
  readonly validate: boolean;
}

export interface Fixed {
  readonly text: string;
  /** What is wrong with it still. */
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, string>;
}

/** `ingot fix`: a legacy template in today's words, keys sorted. */
export async function fix(options: FixOptions, deps: Deps): Promise<Fixed> {
  const fixed = fixLegacy(await readLegacy(options.path, options.stdin));
  const text = `${JSON.stringify(sorted(fixed), undefined, 2)}\n`;
  if (!options.validate) return { text, diagnostics: [], sources: new Map() };
  const { diagnostics, sources } = await validate(
    { path: '-', stdin: async () => text, syntaxOnly: true },
    deps,
  );
  return { text, diagnostics, sources };
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => sorted(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Record<string, Json>).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
