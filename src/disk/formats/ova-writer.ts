import { FileWriter, roundUp } from './file-writer.ts';
import { fileStem } from './identity.ts';
import { ovfDescriptor } from './ovf.ts';
import { sha256 } from '../../core/digest.ts';
import { TAR_BLOCK, tarHeader, tarPadding } from './tar-header.ts';
import type { DiskJob, DiskWriter } from './types.ts';
import { VmdkStream } from './vmdk-stream.ts';
import type { OvaOptions } from './ova.ts';

const MIB = 1 << 20;

/**
 * The descriptor must come first and tells the disk's length, known last. So its place is kept free, with room for the
 * longest number, and the rest is filled with line feeds, which XML allows at the end.
 */
export function openOva(job: DiskJob<OvaOptions>): DiskWriter {
  const stem = fileStem(job.stamp);
  const diskName = `${stem}-disk1.vmdk`;
  const size = roundUp(job.disk.size, MIB);
  const describe = (length: number, populated: number) =>
    Buffer.from(ovfDescriptor({ ...job, name: stem, diskName, size, length, populated }));
  const room = roundUp(describe(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER).length, TAR_BLOCK);
  const base = TAR_BLOCK + room + TAR_BLOCK;
  const out = new FileWriter(job.file);
  const stream = new VmdkStream(out, base, size, {
    seed: job.seed,
    name: diskName,
    adapter: job.options.controller === 'VirtualSCSI' ? 'pvscsi' : 'lsilogic',
  });
  let populated = 0;
  return {
    wants: { deflated: true, adler32: true },
    async write(blocks) {
      for (const block of blocks) {
        populated += block.data.length;
        await stream.add(block);
      }
      await out.flush();
    },
    async finish() {
      const length = await stream.finish();
      const diskSha = await job.pool.hash(job.target, base, base + length);
      const text = describe(length, populated);
      const descriptor = Buffer.concat([text, Buffer.alloc(room - text.length, '\n')]);
      const manifest = Buffer.from(
        `SHA256(${stem}.ovf)= ${sha256(descriptor).slice(7)}\nSHA256(${diskName})= ${diskSha}\n`,
      );
      const header = (name: string, bytes: number) => tarHeader({ name, size: bytes, mtime: job.epoch });
      await out.write(0, header(`${stem}.ovf`, room));
      await out.write(TAR_BLOCK, descriptor);
      await out.write(TAR_BLOCK + room, header(diskName, length));
      await out.write(
        base + length,
        Buffer.concat([
          tarPadding(length),
          header(`${stem}.mf`, manifest.length),
          manifest,
          tarPadding(manifest.length),
          Buffer.alloc(2 * TAR_BLOCK),
        ]),
      );
      await out.flush();
      return undefined;
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
