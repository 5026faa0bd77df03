import { bodySpec } from '../../core/body-spec.ts';
import { roundUp } from './file-writer.ts';
import type { DiskFormat } from './types.ts';

const GIB = 2 ** 30;

/**
 * Google Compute Engine's image archive: `disk.raw`, a whole number of GiB long, in a gzipped tar of GNU's older
 * format, sparse (Google Cloud, "Manually import boot disks").
 */
export const gce: DiskFormat = {
  type: 'gce',
  version: 1,
  doc: "Google Compute Engine's tar.gz of disk.raw.",
  spec: bodySpec({}),
  input: 'disk',
  extension: 'tar.gz',
  needs: ['virtio_scsi', 'nvme'],
  virtualSize: (size) => roundUp(size, GIB),
  open: async (job) => (await import('./gce-writer.ts')).openGce(job),
};
