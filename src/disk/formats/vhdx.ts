import { bodySpec } from '../../core/body-spec.ts';
import { roundUp } from './file-writer.ts';
import type { DiskFormat } from './types.ts';

/** Dynamic VHDX for Hyper-V ([MS-VHDX], version 7.0). */
export const vhdx: DiskFormat = {
  type: 'vhdx',
  version: 1,
  doc: "Hyper-V's disk format, dynamic: only what is used takes space.",
  spec: bodySpec({}),
  input: 'disk',
  extension: 'vhdx',
  needs: ['hv_storvsc'],
  virtualSize: (size) => roundUp(size, 512),
  open: async (job) => (await import('./vhdx-writer.ts')).openVhdx(job),
};
