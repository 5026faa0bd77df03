import { chmod, link, lstat } from 'node:fs/promises';
import type { QemuDisk } from '../../host/qemu-command.ts';
import { type CopyContext, isCompressed, toQcow2 } from '../../host/qemu-image.ts';

/** An image that a machine starts from. */
export interface GivenImage extends QemuDisk {
  /** It lies in the cache, where nobody writes to it. */
  readonly shared?: boolean;
  /** Throws where the file is not any more what was planned. */
  readonly verify?: () => Promise<void>;
}

/**
 * An image as the disk of a layer: by a second name where it lies in the cache, else as a copy that nobody else writes to.
 * A compressed one is unpacked: every reading of the layers would do it again.
 */
export async function placeImage(ctx: CopyContext, image: GivenImage, target: string): Promise<void> {
  const isPlain = image.format === 'qcow2' && !(await isCompressed(ctx, image.path));
  if (isPlain && image.shared && (await linked(image.path, target))) return;
  const args = ['--reflink=auto', '--sparse=always', '--', image.path, target];
  if (isPlain) await ctx.host.run('cp', args, { signal: ctx.signal });
  else await toQcow2(ctx, image, target);
  if (!image.shared) await image.verify?.();
  await chmod(target, 0o644);
}

async function linked(path: string, target: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isFile()) return false;
    await link(path, target);
    return true;
  } catch (error) {
    if (['EXDEV', 'EPERM', 'EMLINK'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
