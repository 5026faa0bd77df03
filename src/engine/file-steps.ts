import type { ContainerSettings } from '../core/container-settings.ts';
import type { Descriptor } from '../core/descriptor.ts';
import type { Json } from '../core/digest.ts';
import { type Layer, type LayerChain, layerFile, type StagedLayer } from '../core/layer.ts';
import { Scope } from '../core/scope.ts';
import type { DiskStepOptions, EarlierTest, OutputStepOptions, TestOutcome } from '../plan/catalog.ts';
import type { PlannedStep } from '../plan/types.ts';
import { contextOf, type ImageRun, type OutputRecord } from './environment.ts';
import { type DiskSubject, RAW_DISK } from './raw-disks.ts';

/** What a step reads: the finished disk, or the filesystem. */
export interface StepSubject {
  readonly disk?: DiskSubject;
  readonly chain?: LayerChain;
}

/** The finished raw disk from the finished chain. That of a disk image stands on its layers, and nothing is written. */
export async function runDisk(step: PlannedStep, chain: LayerChain, run: ImageRun): Promise<Layer> {
  const ctx = contextOf(run, step);
  await using staged = await run.env.cache.stage(step.id);
  const target = layerFile(staged, RAW_DISK);
  const isImage = chain.at(-1)?.kind === 'qcow2';
  const facts = await run.env.rooms.assembleDisk(
    chain,
    step.options as DiskStepOptions,
    target,
    run.env.lock,
    ctx,
  );
  return await staged.commit({
    kind: 'files',
    parents: isImage ? chain.map((l) => l.id) : [],
    result: facts,
  });
}

/** All outputs that are to be written, from one reading of the disk. Answers their layers in the order of `steps`. */
export async function runOutputs(
  steps: readonly PlannedStep[],
  sources: StepSubject,
  run: ImageRun,
): Promise<Layer[]> {
  const { env } = run;
  const ctx = contextOf(run, steps[0] as PlannedStep);
  await using scope = new Scope();
  const staged: StagedLayer[] = [];
  for (const step of steps) staged.push(scope.use(await env.cache.stage(step.id), `layer of ${step.label}`));
  const view = sources.chain && scope.use(await env.rooms.openView(sources.chain, ctx), 'view of the image');
  const records = await env.rooms.exportOutputs(
    {
      annotations: run.image.annotations,
      lock: env.lock,
      ...(sources.disk && {
        disk: {
          facts: sources.disk.layer.result,
          ...(sources.disk.chain && { chain: sources.disk.chain }),
          raw: () => run.rawDisks.pathOf(sources.disk as DiskSubject, ctx),
        },
      }),
      ...(view &&
        sources.chain && { rootfs: { chain: sources.chain, dir: view.dir, ...settingsOf(sources.chain) } }),
    },
    steps.map((step, i) => {
      const options = step.options as OutputStepOptions;
      const layer = staged[i] as StagedLayer;
      return {
        options,
        target: layerFile(layer, options.fileName),
        keptAs: layerFile({ dir: layer.committedDir }, options.fileName),
      };
    }),
    ctx,
  );
  return await Promise.all(
    records.map((record, i) =>
      (staged[i] as StagedLayer).commit({
        kind: 'files',
        parents: [],
        blobs: [blobOf(record)],
        result: record as unknown as Json,
      }),
    ),
  );
}

/** How a container of the image runs, as what it started from says: that is kept with the source's layer. */
function settingsOf(chain: LayerChain): { readonly settings?: ContainerSettings } {
  for (const { result } of chain) {
    if (typeof result !== 'object' || result === null || !('settings' in result)) continue;
    return { settings: result.settings as ContainerSettings };
  }
  return {};
}

function blobOf(record: OutputRecord): Descriptor {
  return {
    mediaType: 'application/octet-stream',
    digest: record.digest,
    size: record.size,
    annotations: { 'org.opencontainers.image.title': record.fileName },
  };
}

/** Runs a test. Only a passed one is kept in the cache, and none whose answer changes with the world outside. */
export async function runTest(
  step: PlannedStep,
  subject: StepSubject & { readonly tests: readonly EarlierTest[] },
  run: ImageRun,
): Promise<{ outcome: TestOutcome; layer?: Layer }> {
  const { env } = run;
  const ctx = contextOf(run, step);
  await using scope = new Scope();
  const view = subject.chain && scope.use(await env.rooms.openView(subject.chain, ctx), 'view of the image');
  const outcome = await env.rooms.test(
    step.spec.type,
    {
      ...(subject.disk && {
        disk: await run.rawDisks.pathOf(subject.disk, ctx),
        facts: subject.disk.layer.result,
      }),
      ...(view && { dir: view.dir }),
      tests: subject.tests,
    },
    step.options,
    ctx,
  );
  tellChecks(step, outcome, run);
  if (!outcome.passed || !step.cacheable) return { outcome };
  await using staged = await env.cache.stage(step.id);
  const layer = await staged.commit({ kind: 'files', parents: [], result: outcome as unknown as Json });
  return { outcome, layer };
}

/** Every check of a test. `cached`: as it ended when the test ran. */
export function tellChecks(step: PlannedStep, outcome: TestOutcome, { env }: ImageRun, cached = false): void {
  const when = cached ? { cached: true as const } : {};
  for (const check of outcome.checks) {
    env.emit({
      type: 'check:result',
      step: step.label,
      name: check.name,
      status: check.passed ? 'passed' : 'failed',
      ...(check.message !== undefined && { message: check.message }),
      ...(check.seconds !== undefined && { seconds: check.seconds }),
      ...when,
    });
  }
  for (const { name, reason } of outcome.skipped ?? [])
    env.emit({
      type: 'check:result',
      step: step.label,
      name,
      status: 'skipped',
      message: reason,
      ...when,
    });
}
