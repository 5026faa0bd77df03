import { attr, bodySpec, type OptionsOf } from '../../core/body-spec.ts';
import type { RootfsFormat } from './types.ts';

const spec = bodySpec(
  { level: attr.number("zstd's level, 1 (fast) to 19 (small).", { default: 3 }) },
  {},
  ({ level }) =>
    Number.isInteger(level) && level >= 1 && level <= 19
      ? []
      : [{ path: ['level'], message: `is ${level}, expected a whole number from 1 to 19` }],
);

export type RootfsOptions = OptionsOf<typeof spec>;

/** The file system as a tar archive, compressed by the system's zstd. */
export const rootfs: RootfsFormat<RootfsOptions> = {
  type: 'rootfs',
  version: 1,
  doc: 'The file system as tar.zst, with owners and extended attributes; for containers and PXE.',
  spec,
  input: 'rootfs',
  extension: 'tar.zst',
  needs: [],
  write: async (job) => (await import('./rootfs-writer.ts')).writeRootfs(job),
};
