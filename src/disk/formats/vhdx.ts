import { bodySpec } from '../../core/body-spec.ts';
import { FileWriter, roundUp } from './file-writer.ts';
import { BLOCK_SIZE, batTable, HEADERS_SIZE, headers, payloadStart } from './vhdx-layout.ts';
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
  async open(job) {
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
  },
};
