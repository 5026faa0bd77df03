import { chmod, stat } from 'node:fs/promises';
import type { Context } from '../../core/context.ts';
import type { Digest } from '../../core/digest.ts';
import { hashFile } from '../../host/hash-file.ts';
import type { QemuDisk } from '../../host/qemu-command.ts';
import { imageSize, writeImage } from '../../host/qemu-image.ts';

/** Formats that a disk image has already, or QEMU's own tool makes of it without looking at the content. */
export type ImageCopyFormat = 'raw' | 'qcow2';

/** Whether an output is no more than a disk image's layers in one file. */
export function isImageCopy({
  format,
  options,
}: {
  readonly format: string;
  readonly options: unknown;
}): boolean {
  if (format === 'raw') return true;
  return format === 'qcow2' && (options as { readonly compression?: string }).compression === 'none';
}

/** Writes a disk image with everything below it as one file. Equal images give equal files. */
export async function copyImage(
  disk: QemuDisk,
  format: ImageCopyFormat,
  target: string,
  ctx: Pick<Context, 'host' | 'signal'>,
): Promise<{ readonly digest: Digest; readonly size: number; readonly virtualSize: number }> {
  await writeImage(ctx, disk, format, target);
  // Whatever the umask.
  await chmod(target, 0o644);
  const digest = `sha256:${await hashFile(target, ctx.signal)}` as const;
  const { size } = await stat(target);
  return { digest, size, virtualSize: await imageSize(disk.path) };
}
