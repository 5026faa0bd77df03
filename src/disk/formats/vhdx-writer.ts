import { FileWriter, roundUp } from './file-writer.ts';
import { BLOCK_SIZE, batTable, HEADERS_SIZE, headers, payloadStart } from './vhdx-layout.ts';
import type { DiskWriter, DiskJob } from './types.ts';

/** Opens the writer of one such disk. */
export async function openVhdx(job: DiskJob<unknown>): Promise<DiskWriter> {
  const size = roundUp(job.disk.size, 512);
  const out = new FileWriter(job.file);
  const start = payloadStart(size);
  /** Place in the file of each payload block with data, in file order. */
  const places = new Map<number, number>();
  return {
    wants: {},
    async write(blocks) {
      for (const { offset, data } of blocks) {
        const block = Math.floor(offset / BLOCK_SIZE);
        const place = places.get(block) ?? start + places.size * BLOCK_SIZE;
        places.set(block, place);
        await out.write(place + (offset % BLOCK_SIZE), data);
      }
      await out.flush();
    },
    async finish() {
      for (const [position, bytes] of headers(size, job.seed)) await out.write(position, bytes);
      await out.write(HEADERS_SIZE, batTable(size, places));
      await out.flush();
      await job.file.truncate(start + places.size * BLOCK_SIZE);
      return undefined;
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
