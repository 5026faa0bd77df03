import type { Context } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import { type BuilderFacts, findBuilderTraces } from '../scan/builder-traces.ts';
import type { ImageOrigin } from '../scan/walk-tree.ts';

const SHOWN = 20;

/** Throws `seal/names-builder` where an image names the machine or the person that builds it; what may be chance is told. */
export async function proveUnnamed(
  dir: string,
  facts: BuilderFacts,
  ctx: Context,
  memory?: string,
  origin?: ImageOrigin,
): Promise<void> {
  const traces = await findBuilderTraces(dir, facts, ctx, memory, origin);
  const text = traces.map(({ what, path }) => `${what} is in ${path}`);
  const certain = text.filter((_, i) => traces[i]?.isCertain);
  for (const message of text.filter((_, i) => !traces[i]?.isCertain).slice(0, SHOWN)) {
    const hint = 'Is it meant as this machine? Then every clone has it, too.';
    const diagnostic = { code: 'seal/names-address', severity: 'warning' as const, message, hint };
    ctx.emit({ type: 'diagnostic', diagnostic });
  }
  if (certain.length === 0) return;
  throw new IngotError(
    'seal/names-builder',
    `the sealed image names what built it, in ${certain.length} places`,
    {
      hint: 'Take it away in the step that writes it; seal { search_builder = false } where it is meant to be there.',
      output: certain.slice(0, SHOWN),
    },
  );
}
