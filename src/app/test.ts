import type { Plan } from '../plan/types.ts';
import { type BuildOptions, type BuildReport, buildPlanned } from './build.ts';
import { catalog } from './catalog.ts';
import { EvidenceKeeper } from './keep-evidence.ts';
import { loadPlan, planOrThrow } from './load.ts';
import { recoverAll } from './recover.ts';
import { type Deps, openSession } from './session.ts';

/** `ingot test`: runs the tests of the images again, also those that passed before. Builds what is missing, releases nothing. */
export async function runTests(options: BuildOptions, deps: Deps): Promise<BuildReport> {
  const began = performance.now();
  const session = openSession(deps);
  await recoverAll(session.paths);
  const planned = await loadPlan(
    { ...options, mode: options.locked ? 'locked' : 'use', toRun: true },
    catalog,
    session,
  );
  const plan = testsOnly(planOrThrow(planned, session));
  const keeper = new EvidenceKeeper(session, options, false);
  const images = await keeper.around(() => buildPlanned({ ...planned, plan }, options, session, keeper.take));
  return {
    images,
    seconds: (performance.now() - began) / 1000,
    ok: images.every((i) => i.status === 'done'),
  };
}

function testsOnly(plan: Plan): Plan {
  const images = plan.images.map((image) => ({
    ...image,
    steps: image.steps
      .filter((s) => !['post-processor', 'release', 'output'].includes(s.spec.kind))
      .map((s) => (s.spec.kind === 'test' ? { ...s, cacheable: false } : s)),
  }));
  return { ...plan, images };
}
