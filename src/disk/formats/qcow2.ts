import { bodySpec, attr, type OptionsOf } from '../../core/body-spec.ts';
import { roundUp } from './file-writer.ts';
import type { DiskFormat } from './types.ts';

const spec = bodySpec({
  compression: attr.string(
    'How clusters are compressed: zlib (every reader), zstd (QEMU 5.1 and later, smaller and faster) or none.',
    { default: 'zlib', oneOf: ['zlib', 'zstd', 'none'] },
  ),
});

export type Qcow2Options = OptionsOf<typeof spec>;

/** QEMU's format, version 3 (qemu, docs/interop/qcow2.txt). */
export const qcow2: DiskFormat<Qcow2Options> = {
  type: 'qcow2',
  version: 1,
  doc: "QEMU's disk image, compressed and sparse; for libvirt, Proxmox, OpenStack.",
  spec,
  input: 'disk',
  extension: 'qcow2',
  needs: ['virtio_blk', 'virtio_scsi', 'nvme', 'ahci'],
  virtualSize: (size) => roundUp(size, 512),
  open: async (job) => (await import('./qcow2-writer.ts')).openQcow2(job),
};
