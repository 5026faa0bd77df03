import { join } from 'node:path';
import type { Host, Mount } from '../core/host.ts';
import { createOverlay, type ImageFacts } from '../host/qemu-image.ts';

/**
 * Mounts the root filesystem of a disk image in an empty folder, through an overlay: what is written there all the same is
 * thrown away, the image is only read. `facts`: what `inspectImage` says of it. Throws `disk/no-root`.
 */
export async function mountCopy(path: string, facts: ImageFacts, dir: string, host: Host): Promise<Mount> {
  const base = { path, format: facts.format, readOnly: true } as const;
  const disk = await createOverlay(host, join(dir, 'overlay.qcow2'), base, facts.virtualSize);
  return await host.mountDisk({ disk, dir });
}
