import { FileWriter, roundUp } from './file-writer.ts';
import { fileStem } from './identity.ts';
import type { DiskWriter, DiskJob } from './types.ts';
import { VmdkStream } from './vmdk-stream.ts';
import type { VmdkOptions } from './vmdk.ts';

const MIB = 1 << 20;

/** Opens the writer of one such disk. */
export async function openVmdk(job: DiskJob<VmdkOptions>): Promise<DiskWriter> {
  const out = new FileWriter(job.file);
  const stream = new VmdkStream(out, 0, roundUp(job.disk.size, MIB), {
    seed: job.seed,
    name: `${fileStem(job.stamp)}.vmdk`,
    adapter: job.options.adapter,
  });
  return {
    wants: { deflated: true, adler32: true },
    async write(blocks) {
      for (const block of blocks) await stream.add(block);
      await out.flush();
    },
    async finish() {
      await stream.finish();
      return undefined;
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
