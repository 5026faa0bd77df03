import { basename } from 'node:path';
import type { Rootfs } from '../core/rootfs.ts';

/** Drivers of disks that platforms have; more would only make the facts long. */
const KNOWN = new Set([
  'virtio_blk',
  'virtio_scsi',
  'nvme',
  'ahci',
  'ata_piix',
  'hv_storvsc',
  'mptspi',
  'mptsas',
  'vmw_pvscsi',
  'xen_blkfront',
]);

/** Disk drivers that an image's kernels have, as modules or built in, sorted. */
export function driversOf(root: Rootfs): string[] {
  const found = new Set<string>();
  const add = (path: string): void => {
    const name = basename(path)
      .replace(/\.ko(\.[a-z]+)?$/, '')
      .replaceAll('-', '_');
    if (KNOWN.has(name)) found.add(name);
  };
  for (const list of root.glob('/lib/modules/*/modules.builtin'))
    for (const line of root.readText(list).split('\n')) add(line);
  for (const folder of root.glob('/lib/modules/*/kernel/drivers'))
    for (const { path } of root.walk(folder)) add(path);
  return [...found].sort();
}
