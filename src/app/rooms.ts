import { rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import type { Json } from '../core/digest.ts';
import { type LayerChain, layerFs } from '../core/layer.ts';
import type { Lock } from '../core/lock.ts';
import { assembleDisk } from '../disk/assemble.ts';
import { bootConfig } from '../disk/boot-config.ts';
import { grubOfImage } from '../disk/image-grub.ts';
import type { DiskOptions } from '../disk/spec.ts';
import type { Rooms, WritableView } from '../engine/environment.ts';
import type { FirstBootOptions } from '../firstboot/config.ts';
import { installFirstBoot } from '../firstboot/install.ts';
import { clampTimes } from '../host/clamp-times.ts';
import { mountChain, openRootfs } from '../host/index.ts';
import { runInRoot } from '../machines/container/run-in-root.ts';
import type { DiskStepOptions, TestOutcome } from '../plan/catalog.ts';
import type { PlannedStep } from '../plan/types.ts';
import { type Evidence, publishRelease } from '../release/publish.ts';
import { openStore } from '../release/release-store.ts';
import type { ReleaseOptions } from '../release/spec.ts';
import { builderFacts, findBuilderTraces } from '../scan/builder-traces.ts';
import { type SealOptions, type SealReport, sealImage } from '../seal/index.ts';
import { unpackTools } from '../sources/mmdebstrap/tools.ts';
import { type Stamp, stampImage } from '../stamp/index.ts';
import { readAgent } from './agent-file.ts';
import { catalog } from './catalog.ts';
import { bundleOf } from './evidence.ts';
import { proveUnnamed } from './builder-proof.ts';
import { diskFacts, flattenDisk, isDisk, viewOfDisk, writableDisk } from './disk-rooms.ts';
import { bundleDocument } from './keep-evidence.ts';
import { hideIn, type Mask } from './mask.ts';
import type { Paths } from './paths.ts';
import { plain } from '../core/plain.ts';
import { exportAll } from './export-all.ts';
import { runTest } from './run-test.ts';

/** Wires the rooms to the engine. */
export function createRooms(paths: Pick<Paths, 'releases' | 'cacheDir'>, mask: Mask): Rooms {
  const searched = join(paths.cacheDir, 'searched.txt');
  return {
    sources: catalog.sources,
    provisioners: catalog.provisioners,
    postProcessors: catalog.postProcessors,
    openView: async (chain, ctx) =>
      isDisk(chain)
        ? await viewOfDisk(chain, ctx)
        : await mountChain(ctx.host, chain, { parent: ctx.workDir }),
    openWritable: async (chain, ctx) =>
      isDisk(chain) ? await writableDisk(chain, ctx) : await openWritable(chain, ctx),
    bootConfig: async (view, o, ctx) =>
      plain(await bootConfig(view.root, { disk: o.disk as DiskOptions, seed: o.seed }, view.exec, ctx)),
    firstBoot: async (view, options, ctx) =>
      plain(
        installFirstBoot(view.root, {
          options: options as FirstBootOptions,
          templateDir: ctx.templateDir,
          agent: readAgent(),
        }),
      ),
    stamp: async (view, options) => stampImage(view.root, options as Stamp),
    seal: async (view, options, ctx) => plain(await seal(view, options as SealOptions, ctx, searched)),
    async searchAhead(chain, options, ctx) {
      if (!isDisk(chain) || !searchesBuilder(options as SealOptions)) return;
      await using view = await writableDisk(chain, ctx);
      await findBuilderTraces(view.root.dir, builderFacts(), ctx, searched, view.origin);
    },
    assembleDisk: assemble,
    flattenDisk,
    exportOutputs: exportAll,
    test: runTest,
    async release({ options, record }, ctx) {
      const { store: location, channels } = options.release as ReleaseOptions;
      const store = await openStore(location ?? `oci-layout:${paths.releases}`, ctx.templateDir);
      const published = await publishRelease(
        store,
        {
          name: options.name,
          version: options.version,
          outputs: record.outputs.map((o) => ({ ...o, mediaType: 'application/octet-stream' })),
          annotations: options.annotations,
          channels,
          evidence: [
            ...record.steps.flatMap(({ step }) => testReport(step, record.tests.get(step.id), mask)),
            bundleDocument(bundleOf(record, mask, true)),
          ],
        },
        ctx,
      );
      return { digest: published.digest, store: store.location, existed: published.existed };
    },
  };
}

/** A test's own report, in full. */
function testReport(step: PlannedStep, outcome: TestOutcome | undefined, mask: Mask): Evidence[] {
  if (!outcome) return [];
  return [
    {
      artifactType: 'application/vnd.ingot.test-report.v1+json',
      mediaType: 'application/json',
      title: `${step.spec.type}.json`,
      content: JSON.stringify(hideIn(outcome, mask)),
    },
  ];
}

/** A writable view of a chain, with a container on it for the commands that only the image's own tools can do. */
async function openWritable(chain: LayerChain, ctx: Context): Promise<WritableView> {
  const view = await mountChain(ctx.host, chain, { parent: ctx.workDir, writable: true });
  return {
    root: openRootfs(view.dir),
    exec: (argv, onLine) => runInRoot(view.dir, argv, ctx, onLine),
    async moveTo(layer) {
      const target = layerFs(layer);
      await view.unmount();
      clampTimes(view.upper, ctx.epoch);
      await rmdir(target);
      await rename(view.upper, target);
      return 'overlay';
    },
    [Symbol.asyncDispose]: () => view[Symbol.asyncDispose]() as Promise<void>,
  };
}

/** Seals, and then looks for what sealing does not know of: the names of this machine and its user. */
async function seal(
  { root, origin }: WritableView,
  options: SealOptions,
  ctx: Context,
  memory: string,
): Promise<SealReport> {
  const report = await sealImage(root, options, ctx);
  if (searchesBuilder(options)) await proveUnnamed(root.dir, builderFacts(), ctx, memory, origin);
  return report;
}

function searchesBuilder({ enabled, search_builder }: SealOptions): boolean {
  return enabled !== false && search_builder !== false;
}

async function assemble(
  chain: LayerChain,
  o: DiskStepOptions,
  target: string,
  lock: Lock,
  ctx: Context,
): Promise<Json> {
  if (isDisk(chain)) return plain(await diskFacts(chain));
  const entry = o.lockKey === undefined ? undefined : lock.entries[o.lockKey];
  await using scratch = await ctx.host.scratch(ctx.workDir, 'grub-');
  const grub =
    entry?.kind === 'apt'
      ? { dir: await unpackTools(entry, ctx) }
      : await grubOfImage(chain, scratch.dir, ctx);
  const options = o.disk as DiskOptions;
  return plain(await assembleDisk({ layers: chain.map(layerFs), options, seed: o.seed, grub, target }, ctx));
}
