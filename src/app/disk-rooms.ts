import { rename, stat } from 'node:fs/promises';
import type { Context } from '../core/context.ts';
import { type Layer, type LayerChain, layerFile } from '../core/layer.ts';
import { Scope } from '../core/scope.ts';
import type { WritableView } from '../engine/environment.ts';
import { openRootfs } from '../host/index.ts';
import type { QemuDisk } from '../host/qemu-command.ts';
import { flatten, imageSize } from '../host/qemu-image.ts';
import { runInRoot } from '../machines/container/run-in-root.ts';
import { chainDisk, LAYER_DISK } from '../machines/vm/chain-disk.ts';
import { DiskRoot } from '../machines/vm/disk-root.ts';

const MIB = 1024 * 1024;

/** Whether a chain is that of a disk image, as against a filesystem in folders. */
export function isDisk(chain: LayerChain): boolean {
  return chain.at(-1)?.kind === 'qcow2';
}

/** The root filesystem of a disk, for reading; what is written all the same is thrown away. */
export async function viewOfDisk(
  chain: LayerChain,
  ctx: Context,
): Promise<AsyncDisposable & { readonly dir: string }> {
  await using scope = new Scope();
  const scratch = scope.use(await ctx.host.scratch(ctx.workDir, 'disk-'), 'folder of a view');
  const root = scope.use(new DiskRoot(ctx.host, scratch.dir, chain), 'view of a disk');
  const { dir } = await root.mounted();
  const held = scope.move();
  return { dir, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() };
}

/** The root filesystem of a disk, written into an overlay of its own. Times are the kernel's: nothing clamps them. */
export async function writableDisk(chain: LayerChain, ctx: Context): Promise<WritableView> {
  await using scope = new Scope();
  const scratch = scope.use(await ctx.host.scratch(ctx.workDir, 'disk-'), 'folder of a view');
  const root = scope.use(new DiskRoot(ctx.host, scratch.dir, chain), 'view of a disk');
  const { dir } = await root.mounted();
  const image = chain[0] as Layer;
  const { mtimeNs: takenNs } = await stat(layerFile(image, LAYER_DISK), { bigint: true });
  const held = scope.move();
  return {
    root: openRootfs(dir),
    origin: { id: image.id, takenNs },
    exec: (argv, onLine) => runInRoot(dir, argv, ctx, onLine),
    async moveTo(layer) {
      // What was deleted, secrets above all, is still in blocks that are free: those are known once the journal is written.
      await ctx.host.run('sync', ['--file-system', dir]);
      await ctx.host.run('fstrim', [dir]);
      await rename(await root.close(), layerFile(layer, LAYER_DISK));
      return 'qcow2';
    },
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  };
}

/** The whole disk as one raw file: its boot loader, its partitions and their content as they are. */
export async function flattenDisk(chain: LayerChain, target: string, ctx: Context): Promise<void> {
  await flatten(ctx, diskOf(chain), target);
}

/** What there is to tell of a disk image without reading it. */
export async function diskFacts(
  chain: LayerChain,
): Promise<{ readonly size: number; readonly summary: string }> {
  const size = await imageSize(diskOf(chain).path);
  return { size, summary: `${Math.round(size / MIB)} MiB` };
}

/** The disk image that the layers of a chain are. */
export function diskOf(chain: LayerChain): QemuDisk {
  const disk = chainDisk(chain);
  if (!disk) throw new TypeError('a chain without layers has no disk');
  return disk;
}
