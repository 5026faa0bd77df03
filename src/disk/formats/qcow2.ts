import { bodySpec, attr, type OptionsOf } from '../../core/body-spec.ts';
import { FileWriter, roundUp } from './file-writer.ts';
import { Qcow2Layout } from './qcow2-layout.ts';
import type { DiskFormat, DiskJob, DiskWriter } from './types.ts';

const spec = bodySpec({
  compression: attr.string(
    'How clusters are compressed: zlib (every reader), zstd (QEMU 5.1 and later, smaller and faster) or none.',
    { default: 'zlib', oneOf: ['zlib', 'zstd', 'none'] },
  ),
});

/** QEMU's format, version 3 (qemu, docs/interop/qcow2.txt). */
export const qcow2: DiskFormat<OptionsOf<typeof spec>> = {
  type: 'qcow2',
  version: 1,
  doc: "QEMU's disk image, compressed and sparse; for libvirt, Proxmox, OpenStack.",
  spec,
  input: 'disk',
  extension: 'qcow2',
  needs: ['virtio_blk', 'virtio_scsi', 'nvme', 'ahci'],
  virtualSize: (size) => roundUp(size, 512),
  open: async (job) => (job.options.compression === 'zstd' ? byQemuImg(job) : bySelf(job)),
};

function bySelf(job: DiskJob<OptionsOf<typeof spec>>): DiskWriter {
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
function byQemuImg(job: DiskJob<OptionsOf<typeof spec>>): DiskWriter {
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
