import { bodySpec } from '../../core/body-spec.ts';
import type { DiskFormat } from './types.ts';

/** The disk as it is: a sparse copy, which shares its blocks with the source where the filesystem can (reflink). */
export const raw: DiskFormat = {
  type: 'raw',
  version: 1,
  doc: 'The disk byte for byte, as a sparse file.',
  spec: bodySpec({}),
  input: 'disk',
  extension: 'raw',
  needs: [],
  virtualSize: (size) => size,
  open: async (job) => (await import('./raw-writer.ts')).openRaw(job),
};
