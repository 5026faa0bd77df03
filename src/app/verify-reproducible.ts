import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { hexOf } from '../core/digest.ts';
import { reproducibilityCheck } from '../core/evidence.ts';
import type { BuildRecord } from '../engine/record.ts';
import type { ImageReport } from '../engine/report.ts';
import type { PolicyStepOptions } from '../plan/catalog.ts';
import type { ImagePlan, PlannedStep } from '../plan/types.ts';
import { REPRODUCIBLE } from '../policy/proofs.ts';
import type { PolicyOptions } from '../policy/spec.ts';
import { versionTag } from '../release/names.ts';
import { addEvidence } from '../release/publish.ts';
import { openStore } from '../release/release-store.ts';
import { compareTrees, type TreeDifference } from '../store/compare-trees.ts';
import { type BuildOptions, type BuildReport, buildPlanned, withEvidence } from './build.ts';
import { catalog } from './catalog.ts';
import { bundleDocument, EvidenceKeeper } from './keep-evidence.ts';
import { loadPlan, planOrThrow } from './load.ts';
import { recoverAll } from './recover.ts';
import { type Deps, openSession, type Session } from './session.ts';

/** What differs between two builds of one plan. */
export interface Irreproducible {
  readonly image: string;
  /** Formats whose bytes differ. */
  readonly formats: readonly string[];
  /** Files by the step that first made them differ. */
  readonly files: readonly (TreeDifference & { readonly step: string })[];
}

export interface ReproducibilityReport extends BuildReport {
  /** Absent where the first build failed: nothing was compared. */
  readonly reproducible?: boolean;
  readonly differences: readonly Irreproducible[];
}

/** Kinds of steps whose layers are trees of files. */
const FILESYSTEM = new Set(['source', 'provisioner', 'boot-config', 'first-boot', 'stamp', 'seal']);
/** What a build that is there to compare bytes leaves out. */
const NOT_AGAIN = new Set(['test', 'post-processor', 'release']);

/**
 * `ingot build --verify-reproducible`: builds, builds once more with an empty layer cache in another folder, and
 * compares every output. Where bytes differ, the layers of both builds tell which step and which files. Where a
 * policy requires the proof, both builds come before the tests and the release.
 */
export async function verifyReproducible(options: BuildOptions, deps: Deps): Promise<ReproducibilityReport> {
  const began = performance.now();
  const session = openSession(deps);
  await recoverAll(session.paths);
  const planned = await loadPlan(
    { ...options, mode: options.locked ? 'locked' : 'use', toRun: true },
    catalog,
    session,
  );
  const keeper = new EvidenceKeeper(session, options, true);
  const plan = planOrThrow(planned, session);
  const gate = plan.images.some(requiresProof);
  const run = async (
    images: readonly ImagePlan[],
    where: Session,
    take?: (record: BuildRecord) => void,
  ): Promise<readonly ImageReport[]> =>
    await buildPlanned({ ...planned, plan: { ...plan, images } }, options, where, take);
  const report = (
    images: readonly ImageReport[],
    rest: Pick<ReproducibilityReport, 'reproducible' | 'differences'>,
  ): ReproducibilityReport => ({
    images: images.map((image) => withEvidence(image, keeper)),
    seconds: (performance.now() - began) / 1000,
    ok: rest.reproducible === true && images.every((i) => i.status === 'done'),
    ...rest,
  });

  const first = await keeper.around(() =>
    gate
      ? run(plan.images.map(bytesOnly), session, (record) => takeFailed(record, plan.images, keeper))
      : run(plan.images, session, keeper.take),
  );
  if (first.some((i) => i.status !== 'done')) return report(first, { differences: [] });

  await mkdir(join(session.paths.cacheDir, 'tmp'), { recursive: true });
  await using scratch = await session.host.scratch(join(session.paths.cacheDir, 'tmp'), 'again-');
  const again: Session = { ...session, paths: { ...session.paths, cacheDir: join(scratch.dir, 'cache') } };
  await mkdir(again.paths.cacheDir, { recursive: true });
  // Packages are inputs, verified by hash; everything made from them is made again.
  await mkdir(join(session.paths.cacheDir, 'apt'), { recursive: true });
  await symlink(join(session.paths.cacheDir, 'apt'), join(again.paths.cacheDir, 'apt'));
  const elsewhere = plan.images.map((image) => ({
    ...bytesOnly(image),
    outputDir: join(scratch.dir, 'outputs', image.name),
  }));
  const second = await run(elsewhere, again);

  const differences = plan.images.flatMap((image) => {
    const formats = differingFormats(image.name, first, second);
    if (formats.length === 0) return [];
    return [{ image: image.name, formats, files: differingFiles(image, session, again) }];
  });
  const proven = plan.images.map((image) => withProof(image, differences));
  const images = gate ? await keeper.around(() => run(proven, session, keeper.take)) : first;
  await tellReproducibility(differences, keeper, session);
  return report(images, { reproducible: differences.length === 0, differences });
}

function requiresProof({ steps }: ImagePlan): boolean {
  return steps.some((step) => isPolicy(step) && policyOf(step).require.includes(REPRODUCIBLE));
}

function isPolicy({ spec }: PlannedStep): boolean {
  return spec.kind === 'test' && spec.type === 'policy';
}

function policyOf(step: PlannedStep): PolicyOptions {
  return (step.options as PolicyStepOptions).policy as PolicyOptions;
}

function bytesOnly(image: ImagePlan): ImagePlan {
  return { ...image, steps: image.steps.filter((s) => !NOT_AGAIN.has(s.spec.kind)) };
}

/** Of a build that only compares bytes, what is told is that it failed. */
function takeFailed(record: BuildRecord, images: readonly ImagePlan[], keeper: EvidenceKeeper): void {
  const image = images.find(({ name }) => name === record.image.name);
  if (record.error && image) keeper.take({ ...record, image });
}

/** The image with what its policy is to know. Such an answer is of two builds, not of one: no cache keeps it. */
function withProof(image: ImagePlan, differences: readonly Irreproducible[]): ImagePlan {
  const differing = differences.find((d) => d.image === image.name)?.formats ?? [];
  return {
    ...image,
    steps: image.steps.map((step) =>
      isPolicy(step) && policyOf(step).require.includes(REPRODUCIBLE)
        ? { ...step, cacheable: false, options: { ...(step.options as PolicyStepOptions), differing } }
        : step,
    ),
  };
}

/** Adds what the second build said to the evidence of each image, beside its outputs and with its release. */
async function tellReproducibility(
  differences: readonly Irreproducible[],
  keeper: EvidenceKeeper,
  session: Session,
): Promise<void> {
  for (const record of keeper.records) {
    const known = keeper.bundles.get(record.image.name);
    if (!known) continue;
    const found = differences.find((d) => d.image === record.image.name);
    const reproducibility = {
      reproducible: found === undefined,
      formats: found?.formats ?? [],
      files: (found?.files ?? []).map(({ path, step, what }) => ({ path, step, what: what.join(', ') })),
    };
    session.emit({ type: 'check:result', ...reproducibilityCheck(record.image.name, reproducibility) });
    const bundle = { ...known, reproducibility };
    await keeper.keep(record, bundle);
    if (!record.release) continue;
    const { release: _release, ...document } = bundle;
    const { name } = record.image;
    const store = await openStore(record.release.store, '/');
    const subject = await store.repository(name).resolve(versionTag(record.image.version));
    if (subject) await addEvidence(store, name, subject, bundleDocument(document), session);
  }
}

function differingFormats(
  name: string,
  first: readonly ImageReport[],
  second: readonly ImageReport[],
): string[] {
  const again = second.find((i) => i.name === name)?.outputs ?? [];
  const outputs = first.find((i) => i.name === name)?.outputs ?? [];
  return outputs
    .filter((o) => again.find((a) => a.format === o.format)?.digest !== o.digest)
    .map((o) => o.format);
}

/** Files of the first layer that differs; later layers mostly differ because of it. */
function differingFiles(
  image: ImagePlan,
  first: Session,
  second: Session,
): (TreeDifference & { step: string })[] {
  const layer = (session: Session, step: PlannedStep): string =>
    join(session.paths.cacheDir, 'layers', hexOf(step.id), 'fs');
  for (const step of image.steps.filter((s) => FILESYSTEM.has(s.spec.kind))) {
    const found = compareTrees(layer(first, step), layer(second, step));
    if (found.length > 0) return found.map((d) => ({ ...d, step: step.label }));
  }
  return [];
}
