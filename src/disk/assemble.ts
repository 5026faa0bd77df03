import { closeSync, constants, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import type { Digest } from '../core/digest.ts';
import { driversOf } from './drivers.ts';
import { writeEsp } from './esp.ts';
import { type DiskPiece, partitionTable } from './gpt.ts';
import { type GrubTools, grubForBios, grubForUefi } from './grub.ts';
import { identities, MIB, type Partition, planLayout } from './layout.ts';
import { contentSize, readRoot, writeRootFilesystem } from './root-filesystem.ts';
import type { DiskOptions } from './spec.ts';

export interface AssembleRequest {
  /** Folders of the finished filesystem's layers, lowest first. */
  readonly layers: readonly string[];
  readonly options: DiskOptions;
  /** All ids derive from it; the same that boot-config had. */
  readonly seed: Digest;
  readonly grub: GrubTools;
  /** Raw disk file to make. */
  readonly target: string;
}

/** What was made; kept with the layer. */
export interface DiskFacts {
  readonly size: number;
  readonly partitions: readonly { readonly name: string; readonly offset: number; readonly size: number }[];
  readonly rootUuid: string;
  /** Disk drivers that the image's kernels have. */
  readonly drivers: readonly string[];
  readonly summary: string;
}

/** Makes a sparse raw disk that boots by BIOS and UEFI, without mounting anything of it. Equal input, equal bytes. */
export async function assembleDisk(request: AssembleRequest, ctx: Context): Promise<DiskFacts> {
  const { options, seed, target, grub } = request;
  const ids = identities(seed);
  const tree = await readRoot(request.layers, ctx);
  const layout = planLayout(options, contentSize(tree), seed);
  const find = (name: string): Partition | undefined => layout.partitions.find((p) => p.name === name);
  const file = openSync(target, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o644);
  try {
    ftruncateSync(file, layout.size);
    const root = find('root') as Partition;
    const bios = find('bios');
    const esp = find('esp');
    const work = [
      Promise.resolve(bios && grubForBios(ids.rootUuid, bios, grub, ctx)),
      Promise.resolve(esp && fillEsp(esp, ids, grub, file, ctx)),
      writeRootFilesystem(
        tree,
        {
          disk: file,
          offset: root.offset,
          size: root.size,
          uuid: ids.rootUuid,
          hashSeed: ids.hashSeed,
          label: options.label,
        },
        ctx,
      ),
    ] as const;
    // An error waits until all have ended: none may write into a file that is closed.
    await Promise.allSettled(work);
    const [bootloader] = await Promise.all(work);
    if (bootloader) write(file, bootloader.core);
    for (const piece of partitionTable(layout, bootloader?.bootCode ?? new Uint8Array(440)))
      write(file, piece);
  } finally {
    closeSync(file);
  }
  return {
    size: layout.size,
    partitions: layout.partitions.map(({ name, offset, size }) => ({ name, offset, size })),
    rootUuid: ids.rootUuid,
    drivers: driversOf(tree),
    summary: `${layout.size / MIB} MiB`,
  };
}

async function fillEsp(
  esp: Partition,
  ids: ReturnType<typeof identities>,
  grub: GrubTools,
  disk: number,
  ctx: Context,
): Promise<void> {
  const data = await grubForUefi(ids.rootUuid, grub, ctx);
  await using scratch = await ctx.host.scratch(ctx.workDir, 'esp-');
  const image = join(scratch.dir, 'esp.img');
  await writeEsp(
    image,
    { size: esp.size, id: ids.espId, files: [{ path: 'EFI/BOOT/BOOTX64.EFI', data }] },
    ctx,
  );
  copyInto(image, disk, esp.offset);
}

/** Copies a file to a place in the disk; blocks of zeros stay holes. */
function copyInto(source: string, disk: number, offset: number): void {
  const file = openSync(source, 'r');
  try {
    const block = Buffer.alloc(64 * 1024);
    const zeros = Buffer.alloc(block.length);
    for (let at = 0; ; ) {
      const count = readSync(file, block, 0, block.length, at);
      if (count === 0) return;
      if (block.compare(zeros, 0, count, 0, count) !== 0)
        write(disk, { offset: offset + at, data: block.subarray(0, count) });
      at += count;
    }
  } finally {
    closeSync(file);
  }
}

function write(file: number, { offset, data }: DiskPiece): void {
  for (let at = 0; at < data.length; ) at += writeSync(file, data, at, data.length - at, offset + at);
}
