import { bodySpec } from '../../core/body-spec.ts';
import { roundUp } from './file-writer.ts';
import type { DiskFormat } from './types.ts';

const MIB = 1 << 20;

/** Fixed VHD: the disk, then a footer (Virtual Hard Disk Image Format Specification 1.0, "Hard Disk Footer Format"). */
export const vhd: DiskFormat = {
  type: 'vhd',
  version: 1,
  doc: 'A fixed VHD whose size is a whole number of MiB, as Azure demands.',
  spec: bodySpec({}),
  input: 'disk',
  extension: 'vhd',
  needs: ['hv_storvsc'],
  virtualSize: (size) => roundUp(size, MIB),
  open: async (job) => (await import('./vhd-writer.ts')).openVhd(job),
};
