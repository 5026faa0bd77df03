import { FileWriter, roundUp } from './file-writer.ts';
import { Qcow2Layout } from './qcow2-layout.ts';
import type { DiskJob, DiskWriter } from './types.ts';
import type { Qcow2Options } from './qcow2.ts';

/** Opens the writer of one such disk. */
export async function openQcow2(job: DiskJob<Qcow2Options>): Promise<DiskWriter> {
  return job.options.compression === 'zstd' ? byQemuImg(job) : bySelf(job);
}

function bySelf(job: DiskJob<Qcow2Options>): DiskWriter {
  const compressed = job.options.compression === 'zlib';
  const layout = new Qcow2Layout(roundUp(job.disk.size, 512), new FileWriter(job.file));
  return {
    wants: { deflated: compressed },
    async write(blocks) {
      for (const block of blocks)
        await layout.add(block.offset, block.data, block.deflated && compressed ? block.deflated : undefined);
      await layout.flush();
    },
    async finish() {
      await layout.finish(job.file);
      return undefined;
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/**
 * Node 20 has no zstd, so qemu-img does this one, beside the common pass. Without `-W` it writes clusters in
 * order, so that equal disks give equal files.
 */
function byQemuImg(job: DiskJob<Qcow2Options>): DiskWriter {
  const abort = new AbortController();
  const options = 'compression_type=zstd,compat=1.1,cluster_size=65536,lazy_refcounts=off';
  const args = ['convert', '-q', '-c', '-f', 'raw', '-O', 'qcow2', '-o', options, job.disk.path, job.target];
  const ended = job.ctx.host.run('qemu-img', args, {
    signal: AbortSignal.any([job.ctx.signal, abort.signal]),
  });
  // Awaited in finish(); until then a failure must not count as unhandled.
  ended.catch(() => {});
  return {
    wants: undefined,
    write: async () => {},
    async finish() {
      await ended;
      return undefined;
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
      await ended.catch(() => {});
    },
  };
}
