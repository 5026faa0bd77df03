import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { hostPath, type Tree } from './ext4/tree.ts';

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

const MODULE = /^(?:usr\/)?lib\/modules\/[^/]+\/kernel\/drivers\/.*\/([^/]+)\.ko(?:\.[a-z]+)?$/;
const BUILTIN = /^(?:usr\/)?lib\/modules\/[^/]+\/modules\.builtin$/;

/** Disk drivers that an image's kernels have, as modules or built in, sorted. */
export function driversOf(tree: Pick<Tree, 'files'>): string[] {
  const found = new Set<string>();
  const add = (module: string): void => {
    const name = module.replaceAll('-', '_');
    if (KNOWN.has(name)) found.add(name);
  };
  for (const file of tree.files) {
    const [, module] = MODULE.exec(file.path) ?? [];
    if (module !== undefined) add(module);
    if (file.kind === 'file' && BUILTIN.test(file.path))
      for (const line of readFileSync(hostPath(file), 'utf8').split('\n')) add(basename(line, '.ko'));
  }
  return [...found].sort();
}
