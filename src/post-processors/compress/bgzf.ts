import { crc32, deflateRawSync } from 'node:zlib';

/** Most bytes of input in a block, so that it fits 64 KiB also where it grows. */
const BLOCK = 0xff00;
/** Header with its extra field, before, and checksum and size, behind the data. */
const AROUND = 18 + 8;

/** The bytes of a BGZF file: gzip in blocks that can be read one by one (SAM format specification, section 4.1). */
export async function* bgzfBytes(source: AsyncIterable<Uint8Array>, level: number): AsyncGenerator<Buffer> {
  let pending = Buffer.alloc(0);
  for await (const part of source) {
    pending = Buffer.concat([pending, part]);
    let at = 0;
    for (; pending.length - at >= BLOCK; at += BLOCK) yield block(pending.subarray(at, at + BLOCK), level);
    pending = pending.subarray(at);
  }
  if (pending.length > 0) yield block(pending, level);
  // An empty block says that the file is whole.
  yield block(Buffer.alloc(0), level);
}

function block(data: Buffer, level: number): Buffer {
  const packed = deflateRawSync(data, { level });
  const out = Buffer.alloc(AROUND + packed.length);
  // RFC 1952: magic, deflate, an extra field follows; no time, no system.
  out.set([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 0x42, 0x43, 2, 0]);
  out.writeUInt16LE(out.length - 1, 16);
  out.set(packed, 18);
  out.writeUInt32LE(crc32(data), out.length - 8);
  out.writeUInt32LE(data.length, out.length - 4);
  return out;
}
