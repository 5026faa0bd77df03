import { statSync } from 'node:fs';
import { rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { checkBoot, type BootTestOptions } from '../checks/boot.ts';
import type { CloneResult } from '../checks/boot/clones.ts';
import type { ExecTestOptions } from '../checks/exec.ts';
import type { GossTestOptions } from '../checks/goss.ts';
import { type Context, note } from '../core/context.ts';
import type { Json } from '../core/digest.ts';
import type { NamedSecret } from '../core/named-secret.ts';
import { IngotError } from '../core/error.ts';
import { type LayerChain, layerFs } from '../core/layer.ts';
import type { Lock } from '../core/lock.ts';
import { assembleDisk } from '../disk/assemble.ts';
import { bootConfig } from '../disk/boot-config.ts';
import { copyImage, type ImageCopyFormat, isImageCopy } from '../disk/formats/image-copy.ts';
import { exportOutputs, outputFormats } from '../disk/formats/index.ts';
import { grubOfImage } from '../disk/image-grub.ts';
import type { DiskOptions } from '../disk/spec.ts';
import type {
  ExportInput,
  ExportRequest,
  OutputRecord,
  Rooms,
  TestSubject,
  WritableView,
} from '../engine/environment.ts';
import type { FirstBootOptions } from '../firstboot/config.ts';
import { installFirstBoot } from '../firstboot/install.ts';
import { clampTimes } from '../host/clamp-times.ts';
import { mountChain, openRootfs } from '../host/index.ts';
import { runInRoot } from '../machines/container/run-in-root.ts';
import type { DiskStepOptions, PolicyStepOptions, ResidueStepOptions, TestOutcome } from '../plan/catalog.ts';
import type { PlannedStep } from '../plan/types.ts';
import { type Evidence, publishRelease } from '../release/publish.ts';
import { openStore } from '../release/release-store.ts';
import type { ReleaseOptions } from '../release/spec.ts';
import { builderFacts } from '../scan/builder-traces.ts';
import { findingText, searchPatterns } from '../scan/patterns.ts';
import type { PatternOptions } from '../scan/patterns/spec.ts';
import { residueText, searchResidue } from '../scan/residue.ts';
import type { PlacedPartition } from '../scan/residue/place.ts';
import { archiveHashes, writeSboms } from '../scan/sbom.ts';
import { isSbomFormat, type SbomFormat } from '../scan/sbom/formats.ts';
import { checkVulnerabilities, type VulnerabilityOptions } from '../scan/vulnerabilities.ts';
import { listReferenceSources } from '../secrets/list-references.ts';
import { describeReference } from '../secrets/reference.ts';
import { type SealOptions, type SealReport, sealImage } from '../seal/index.ts';
import { unpackTools } from '../sources/mmdebstrap/tools.ts';
import { type Stamp, stampImage } from '../stamp/index.ts';
import { readAgent } from './agent-file.ts';
import { catalog } from './catalog.ts';
import { bundleOf } from './evidence.ts';
import { testExec } from './exec-test.ts';
import { testGoss } from './goss.ts';
import { proveUnnamed } from './builder-proof.ts';
import { diskFacts, diskOf, flattenDisk, isDisk, viewOfDisk, writableDisk } from './disk-rooms.ts';
import { bundleDocument } from './keep-evidence.ts';
import { hideIn, type Mask } from './mask.ts';
import type { Paths } from './paths.ts';
import { testPolicy } from './policy.ts';

/** Wires the rooms to the engine. */
export function createRooms(paths: Pick<Paths, 'releases' | 'cacheDir'>, mask: Mask): Rooms {
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
    seal: async (view, options, ctx) =>
      plain(await seal(view, options as SealOptions, ctx, join(paths.cacheDir, 'searched.txt'))),
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
  { root }: WritableView,
  options: SealOptions,
  ctx: Context,
  memory: string,
): Promise<SealReport> {
  const report = await sealImage(root, options, ctx);
  if (options.enabled !== false && options.search_builder !== false)
    await proveUnnamed(root.dir, builderFacts(), ctx, memory);
  return report;
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

/** Bills of materials and disk formats, each by its room; answers in the order of the requests. */
async function exportAll(
  input: ExportInput,
  requests: readonly ExportRequest[],
  ctx: Context,
): Promise<OutputRecord[]> {
  const boms = requests.filter((r) => isSbomFormat(r.options.format));
  const copies = requests.filter((r) => input.disk?.chain && isImageCopy(r.options));
  const others = requests.filter((r) => !boms.includes(r) && !copies.includes(r));
  const written = [
    ...(await exportBoms(input, boms, ctx)),
    ...(await exportCopies(input, copies, ctx)),
    ...(others.length > 0 ? await exportFormats(input, others, ctx) : []),
  ];
  const order = [...boms, ...copies, ...others];
  return requests.map((request) => written[order.indexOf(request)] as OutputRecord);
}

async function exportBoms(
  input: ExportInput,
  requests: readonly ExportRequest[],
  ctx: Context,
): Promise<OutputRecord[]> {
  if (requests.length === 0 || !input.rootfs) return [];
  const { annotations } = input;
  const written = await writeSboms(
    openRootfs(input.rootfs.dir),
    {
      name: annotations['org.opencontainers.image.title'] ?? 'image',
      version: annotations['org.opencontainers.image.version'] ?? '0',
      epoch: ctx.epoch,
    },
    archiveHashes(ctx.build && input.lock.entries[`${ctx.build.type}.${ctx.build.name}`]),
    requests.map(({ options, target }) => ({ format: options.format as SbomFormat, target })),
  );
  return written.map((file, i) => {
    const { format, fileName } = (requests[i] as ExportRequest).options;
    return { format, fileName, ...file };
  });
}

/** Outputs that are a disk image's layers put together, written from these at once. */
async function exportCopies(
  { disk }: ExportInput,
  requests: readonly ExportRequest[],
  ctx: Context,
): Promise<OutputRecord[]> {
  const records: OutputRecord[] = [];
  for (const { options, target } of requests) {
    const { format, fileName } = options;
    const file = await copyImage(diskOf(disk?.chain ?? []), format as ImageCopyFormat, target, ctx);
    records.push({ format, fileName, ...file });
  }
  return records;
}

async function exportFormats(
  input: ExportInput,
  requests: readonly ExportRequest[],
  ctx: Context,
): Promise<OutputRecord[]> {
  warnOfDrivers(input, requests, ctx);
  const isFromDisk = ({ options }: ExportRequest): boolean =>
    outputFormats.find((f) => f.type === options.format)?.input === 'disk';
  const raw = requests.some(isFromDisk) ? await input.disk?.raw() : undefined;
  const files = await exportOutputs(
    {
      ...(raw !== undefined && { disk: { path: raw, size: statSync(raw).size } }),
      ...(input.rootfs && { rootfs: input.rootfs }),
      stamp: input.annotations,
      epoch: ctx.epoch,
    },
    requests.map(({ options, target }) => ({
      format: options.format,
      options: options.options,
      target,
      seed: options.seed,
    })),
    ctx,
  );
  return files.map((file, i) => ({
    format: file.format,
    fileName: requests[i]?.options.fileName ?? '',
    digest: file.digest,
    size: file.size,
    ...(file.virtualSize !== undefined && { virtualSize: file.virtualSize }),
  }));
}

/** An output for a platform on which the image's kernel would not find its disk is written, and said to be useless there. */
function warnOfDrivers(input: ExportInput, requests: readonly ExportRequest[], ctx: Context): void {
  const drivers = (input.disk?.facts as { drivers?: readonly string[] } | undefined)?.drivers;
  if (!drivers) return;
  for (const { options } of requests) {
    const needs = outputFormats.find((f) => f.type === options.format)?.needs ?? [];
    if (needs.length === 0 || needs.some((n) => drivers.includes(n))) continue;
    const diagnostic = {
      code: 'output/no-driver',
      severity: 'warning' as const,
      message: `output "${options.format}": the image's kernel has none of ${needs.join(', ')}, with which that platform's disks are found`,
      hint: 'Set kernel = "linux-image-amd64" in the source; the cloud kernel has drivers of clouds and QEMU only.',
    };
    ctx.emit({ type: 'diagnostic', diagnostic });
  }
}

async function runTest(
  type: string,
  subject: TestSubject,
  options: unknown,
  ctx: Context,
): Promise<TestOutcome> {
  if (type === 'policy') return await testPolicy(subject, options as PolicyStepOptions, ctx);
  if (type === 'residue') return await testResidue(subject, options as ResidueStepOptions, ctx);
  if (type === 'vulnerabilities' && subject.dir !== undefined) {
    const report = await checkVulnerabilities(openRootfs(subject.dir), options as VulnerabilityOptions, ctx);
    return { passed: report.passed, checks: report.checks, data: plain(report) };
  }
  if (type === 'goss' && subject.disk !== undefined)
    return await testGoss(subject.disk, options as GossTestOptions, ctx);
  if (type === 'exec' && subject.disk !== undefined)
    return await testExec(subject.disk, options as ExecTestOptions, ctx);
  if (type === 'secrets' && subject.dir !== undefined)
    return await testPatterns(subject.dir, options as PatternOptions, ctx);
  if (type !== 'boot' || subject.disk === undefined) {
    throw new IngotError('internal/unexpected', `there is no test of type ${type} for this subject`);
  }
  const result = await checkBoot({ ...(options as BootTestOptions), image: subject.disk }, ctx);
  for (const { name, status, console } of result.cases)
    if (status === 'failed') for (const line of console) note(ctx, `${name}: ${line}`);
  return {
    passed: result.status === 'passed',
    checks: [
      ...result.cases
        .filter((c) => c.status !== 'skipped')
        .map((c) => ({
          name: c.name,
          passed: c.status === 'passed',
          ...(c.message !== undefined && { message: c.message }),
          ...(c.bootSeconds !== undefined && { seconds: c.bootSeconds }),
        })),
      ...(result.clones ? [clonesCheck(result.clones)] : []),
    ],
    data: plain(result),
  };
}

/** A check for each file that something was found in; one for all where nothing was. */
async function testPatterns(dir: string, options: PatternOptions, ctx: Context): Promise<TestOutcome> {
  const result = await searchPatterns(dir, options, ctx);
  const clean = { name: 'no secrets', passed: true, message: `${result.files} text files searched` };
  return {
    passed: result.findings.length === 0,
    checks:
      result.findings.length === 0
        ? [clean]
        : result.findings.map((finding) => ({
            name: finding.path,
            passed: false,
            message: findingText(finding),
          })),
    data: plain(result),
  };
}

function clonesCheck({ compared, equal }: CloneResult): TestOutcome['checks'][number] {
  const message = equal.length > 0 ? equal.join('; ') : `compared: ${compared.join(', ')}`;
  return { name: 'clones differ', passed: equal.length === 0, message };
}

/** The values of references, each by its reference; from the run's own resolver, so that nothing is asked twice. */
async function fetchNamed(
  texts: readonly string[],
  allowed: readonly string[],
  ctx: Context,
): Promise<NamedSecret[]> {
  const sources = new Set(texts.flatMap(listReferenceSources));
  return await Promise.all(
    [...sources]
      .filter((source) => !allowed.includes(describeReference(source)))
      .map(async (source) => ({
        name: describeReference(source),
        value: await ctx.secrets.resolve(source),
      })),
  );
}

async function testResidue(
  { disk, facts, dir = '' }: { readonly disk?: string; readonly facts?: Json; readonly dir?: string },
  { secrets, references, allowed }: ResidueStepOptions,
  ctx: Context,
): Promise<TestOutcome> {
  const all = [...secrets, ...(await fetchNamed(references, allowed, ctx))];
  const partitions = (facts as { partitions?: readonly PlacedPartition[] } | undefined)?.partitions ?? [];
  const result = await searchResidue(all, disk === undefined ? { dir } : { disk, partitions }, ctx);
  for (const secret of result.secrets) {
    if (secret.status !== 'not searched') continue;
    const message = residueText(secret);
    const hint = 'Use a longer value; one of so few bytes is soon guessed, too.';
    const diagnostic = { code: 'residue/too-short', severity: 'warning' as const, message, hint };
    ctx.emit({ type: 'diagnostic', diagnostic });
  }
  return {
    passed: result.secrets.every(({ status }) => status !== 'found'),
    checks: result.secrets.map((secret) => ({
      name: secret.name,
      passed: secret.status !== 'found',
      ...(secret.status !== 'clean' && { message: residueText(secret) }),
    })),
    data: plain(result),
  };
}

/** A result as the data that JSON keeps of it. */
function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
