import type { Context } from '../core/context.ts';
import type { BuilderFacts } from './builder/machine-facts.ts';
import { RememberedFiles } from './builder/clean-files.ts';
import { traceNeedles } from './builder/trace-needles.ts';
import { NeedleSet } from './residue/search-stream.ts';
import { searchTree } from './residue/search-tree.ts';
import { UnpackBudget } from './residue/unpack-budget.ts';
import type { ImageOrigin } from './walk-tree.ts';

/** Something in an image that names the machine or the person that built it. */
export interface BuilderTrace {
  /** `the MAC address 52:54:00:ab:cd:ef`. */
  readonly what: string;
  /** `/etc/app.conf`, `the name of /etc/build-7`. */
  readonly path: string;
  /** Whether it can hardly be there by chance. */
  readonly isCertain: boolean;
}

export { type BuilderFacts, builderFacts } from './builder/machine-facts.ts';

/**
 * Searches the files of a finished filesystem for what names its builder. Each fact is told once a file. `memory`: a file
 * that remembers what was searched; `origin`: of the disk image that `dir` is the filesystem of.
 */
export async function findBuilderTraces(
  dir: string,
  facts: BuilderFacts,
  ctx: Pick<Context, 'host' | 'signal'>,
  memory?: string,
  origin?: ImageOrigin,
): Promise<readonly BuilderTrace[]> {
  const { traces, needles } = traceNeedles(facts);
  if (needles.length === 0) return [];
  const context = { host: ctx.host, signal: ctx.signal, budget: new UnpackBudget() };
  const clean = memory === undefined ? undefined : await RememberedFiles.open(memory, needles);
  const { hits } = await searchTree(dir, new NeedleSet(needles), context, clean, origin);
  await clean?.save();
  const found = new Map<string, BuilderTrace>();
  for (const { hit, path } of hits) {
    const { what, isCertain } = traces[hit.needle.secret] as (typeof traces)[number];
    found.set(`${what}\0${path}`, { what, path, isCertain });
  }
  return [...found.values()];
}
