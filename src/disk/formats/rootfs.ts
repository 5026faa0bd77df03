import { attr, bodySpec, type OptionsOf } from '../../core/body-spec.ts';
import { canonicalJson } from '../../core/digest.ts';
import { feed } from './feed.ts';
import { paxMember } from './pax.ts';
import { layerTar } from './layer-tar.ts';
import { tarOf } from './tar-source.ts';
import type { RootfsFormat, RootfsJob } from './types.ts';

const spec = bodySpec(
  { level: attr.number("zstd's level, 1 (fast) to 19 (small).", { default: 3 }) },
  {},
  ({ level }) =>
    Number.isInteger(level) && level >= 1 && level <= 19
      ? []
      : [{ path: ['level'], message: `is ${level}, expected a whole number from 1 to 19` }],
);

/** The file system as a tar archive, compressed by the system's zstd. */
export const rootfs: RootfsFormat<OptionsOf<typeof spec>> = {
  type: 'rootfs',
  version: 1,
  doc: 'The file system as tar.zst, with owners and extended attributes; for containers and PXE.',
  spec,
  input: 'rootfs',
  extension: 'tar.zst',
  needs: [],
  async write(job) {
    // With worker threads zstd's output is the same whatever their number; -T1 and -T0 agree.
    const args = ['-q', '-f', '-T0', `-${job.options.level}`, '-o', job.target];
    await feed(archive(job), 'zstd', args, job.ctx);
  },
};

async function* archive(job: RootfsJob<unknown>): AsyncGenerator<Buffer> {
  // `comment` is the record that every reader knows and passes over (pax(1)).
  yield paxMember('g', [['comment', Buffer.from(canonicalJson(job.stamp))]], job.epoch);
  yield* layerTar(tarOf(job.rootfs.dir, ['.'], job.epoch, job.ctx), job.epoch);
}
