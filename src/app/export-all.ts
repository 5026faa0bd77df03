import { statSync } from 'node:fs';
import type { Context } from '../core/context.ts';
import { copyImage, type ImageCopyFormat, isImageCopy } from '../disk/formats/image-copy.ts';
import { exportOutputs, outputFormats } from '../disk/formats/index.ts';
import type { ExportInput, ExportRequest, OutputRecord } from '../engine/environment.ts';
import { openRootfs } from '../host/index.ts';
import { archiveHashes, writeSboms } from '../scan/sbom.ts';
import { isSbomFormat, type SbomFormat } from '../scan/sbom/formats.ts';
import { diskOf } from './disk-rooms.ts';

/** Bills of materials and disk formats, each by its room; answers in the order of the requests. */
export async function exportAll(
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
    requests.map(({ options, target, keptAs }) => ({
      format: options.format,
      options: options.options,
      target,
      keptAs,
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
