import { scanDisk } from './disk-pass.ts';
import { FileWriter, roundUp } from './file-writer.ts';
import { GzipFile } from './gzip-file.ts';
import { TAR_BLOCK, tarHeader, tarNumber, withChecksum } from './tar-header.ts';
import { BLOCK, type DiskWriter, type DiskJob } from './types.ts';

const GIB = 2 ** 30;

/** Opens the writer of one such disk. */
export async function openGce(job: DiskJob<unknown>): Promise<DiskWriter> {
  const out = new FileWriter(job.file);
  let at = 0;
  const gzip = new GzipFile({
    async write(bytes) {
      await out.write(at, bytes);
      at += bytes.length;
    },
  });
  // A sparse member's header lists its data, so the places must be known before the first block comes.
  const offsets = await scanDisk(job.disk, job.pool);
  const header = sparseHeader(offsets, roundUp(job.disk.size, GIB), job.epoch);
  await gzip.addPlain(header);
  return {
    wants: { deflated: true, crc32: true },
    async write(blocks) {
      for (const { deflated, crc32 } of blocks)
        await gzip.add(deflated as Uint8Array, crc32 as number, BLOCK);
      await out.flush();
    },
    async finish() {
      // Two blocks of zeros end the archive; tar fills its record of twenty.
      const length = header.length + offsets.length * BLOCK + 2 * TAR_BLOCK;
      await gzip.addPlain(Buffer.alloc(2 * TAR_BLOCK + roundUp(length, 20 * TAR_BLOCK) - length));
      await gzip.finish();
      await out.flush();
      return undefined;
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Header and extension headers of `disk.raw` (GNU tar manual, "Sparse Formats": old GNU format). */
function sparseHeader(offsets: readonly number[], size: number, mtime: number): Buffer {
  const extents: [offset: number, length: number][] = [];
  for (const offset of offsets) {
    const last = extents.at(-1);
    if (last && last[0] + last[1] === offset) last[1] += BLOCK;
    else extents.push([offset, BLOCK]);
  }
  const end = extents.at(-1);
  // A hole at the end is told by an empty stretch of data behind it.
  if (!end || end[0] + end[1] < size) extents.push([size, 0]);

  const header = tarHeader({ name: 'disk.raw', size: offsets.length * BLOCK, mtime, type: 'S' }, 'oldgnu');
  writeExtents(header, 386, extents.splice(0, 4));
  header[482] = extents.length > 0 ? 1 : 0;
  tarNumber(header, 483, 12, size);
  const parts = [withChecksum(header)];
  while (extents.length > 0) {
    const extension = Buffer.alloc(TAR_BLOCK);
    writeExtents(extension, 0, extents.splice(0, 21));
    extension[504] = extents.length > 0 ? 1 : 0;
    parts.push(extension);
  }
  return Buffer.concat(parts);
}

function writeExtents(header: Buffer, start: number, extents: readonly (readonly [number, number])[]): void {
  extents.forEach(([offset, length], i) => {
    tarNumber(header, start + i * 24, 12, offset);
    tarNumber(header, start + i * 24 + 12, 12, length);
  });
}
