import { canonicalJson } from '../../core/digest.ts';
import { feed } from './feed.ts';
import { paxMember } from './pax.ts';
import { layerTar } from './layer-tar.ts';
import { tarOf } from './tar-source.ts';
import type { RootfsJob } from './types.ts';
import type { RootfsOptions } from './rootfs.ts';

/** Writes one such archive. */
export async function writeRootfs(job: RootfsJob<RootfsOptions>): Promise<void> {
  // With worker threads zstd's output is the same whatever their number; -T1 and -T0 agree.
  const args = ['-q', '-f', '-T0', `-${job.options.level}`, '-o', job.target];
  await feed(archive(job), 'zstd', args, job.ctx);
}

async function* archive(job: RootfsJob<unknown>): AsyncGenerator<Buffer> {
  // `comment` is the record that every reader knows and passes over (pax(1)).
  yield paxMember('g', [['comment', Buffer.from(canonicalJson(job.stamp))]], job.epoch);
  yield* layerTar(tarOf(job.rootfs.dir, ['.'], job.epoch, job.ctx), job.epoch);
}
