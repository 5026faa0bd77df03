import { FileWriter, roundUp } from './file-writer.ts';
import { deriveUuid } from './identity.ts';
import { sparseCopy } from './raw-writer.ts';
import type { DiskWriter, DiskJob } from './types.ts';

const MIB = 1 << 20;
const FOOTER = 512;
/** 2000-01-01T00:00:00Z, where the format's time begins, in seconds since 1970. */
const VHD_EPOCH = 946_684_800;

/** Opens the writer of one such disk. */
export async function openVhd(job: DiskJob<unknown>): Promise<DiskWriter> {
  const size = roundUp(job.disk.size, MIB);
  const copy = sparseCopy(job, size);
  job.disk.content.want();
  return {
    wants: {},
    write: (blocks) => copy.write(blocks),
    async finish() {
      const out = new FileWriter(job.file);
      const tail = footer(job, size);
      await out.write(size, tail);
      await out.flush();
      return job.disk.content.digest(size, tail);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

function footer(job: DiskJob<unknown>, size: number): Buffer {
  const bytes = Buffer.alloc(FOOTER);
  bytes.write('conectix', 0, 'latin1');
  bytes.writeUInt32BE(2, 8); // features: the reserved bit, always set
  bytes.writeUInt32BE(0x0001_0000, 12); // format version 1.0
  bytes.fill(0xff, 16, 24); // data offset: none in fixed disks
  bytes.writeUInt32BE(Math.max(0, job.epoch - VHD_EPOCH), 24);
  // Readers trust "current size", not the geometry, only of creators they know; this is qemu-img's with force_size.
  bytes.write('qem2', 28, 'latin1');
  bytes.writeUInt32BE(0x0005_0003, 32);
  bytes.write('Wi2k', 36, 'latin1');
  bytes.writeBigUInt64BE(BigInt(size), 40);
  bytes.writeBigUInt64BE(BigInt(size), 48);
  bytes.writeUInt16BE(0xffff, 56); // geometry at its greatest: the size counts
  bytes.writeUInt8(16, 58);
  bytes.writeUInt8(255, 59);
  bytes.writeUInt32BE(2, 60); // fixed
  deriveUuid(job.seed, 'vhd').copy(bytes, 68);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.writeUInt32BE(~sum >>> 0, 64);
  return bytes;
}
