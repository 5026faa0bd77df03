import { loadGossFile, loadVariables } from '../checks/goss.ts';
import { type MutationReport, mutateImage } from '../checks/goss-mutate.ts';
import { contextOf, type GossOptions, imagePath, subjectOf } from './goss.ts';
import { openDiskImage } from './goss-image.ts';
import { recoverAll } from './recover.ts';
import { type Deps, openSession } from './session.ts';

export type { MutationReport, Verdict } from '../checks/goss-mutate.ts';

export interface GossMutateOptions
  extends Pick<
    GossOptions,
    'image' | 'file' | 'vars' | 'varsInline' | 'strict' | 'boot' | 'machine' | 'retryTimeout' | 'sleep'
  > {
  /** Most mutations that are tried. */
  readonly mutations: number;
}

/** `ingot test IMAGE --goss FILE --mutate`: which changes of the image no check of the file notices. */
export async function mutateGoss(o: GossMutateOptions, deps: Deps): Promise<MutationReport> {
  const file = loadGossFile(o.file, { vars: loadVariables(o.vars, o.varsInline), env: process.env });
  const session = openSession(deps);
  session.addSources(file.sources);
  await recoverAll(session.paths);
  const ctx = contextOf(session);
  await using image = await openDiskImage(imagePath(o.image), ctx);
  const report = await mutateImage(file, subjectOf(image, o), o, ctx);
  for (const diagnostic of [...file.diagnostics, ...report.diagnostics])
    ctx.emit({ type: 'diagnostic', diagnostic });
  return report;
}
