import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { crc32, createDeflateRaw } from 'node:zlib';

/** 1980-01-01, the first date that the format knows: two runs give equal bytes. */
const DATE = (1 << 5) | 1;
const ZIP64 = 45;

interface Entry {
  readonly name: Buffer;
  readonly crc: number;
  readonly packed: bigint;
  readonly size: bigint;
  readonly offset: bigint;
}

/**
 * The bytes of a zip archive of these files by their names (PKWARE APPNOTE 6.3.10). Sizes stand behind each file's
 * data, in ZIP64's width, so that nothing needs to be known beforehand.
 */
export async function* zipBytes(files: readonly string[], level: number): AsyncGenerator<Buffer> {
  const entries: Entry[] = [];
  let offset = 0n;
  for (const file of files) {
    const name = Buffer.from(basename(file));
    const header = localHeader(name);
    yield header;
    const start = offset;
    offset += BigInt(header.length);
    let crc = 0;
    let size = 0n;
    let packed = 0n;
    const source = createReadStream(file, { highWaterMark: 1 << 18 });
    const deflate = createDeflateRaw({ level });
    source.on('data', (part) => {
      crc = crc32(part, crc);
      size += BigInt(part.length);
    });
    source.on('error', (error) => deflate.destroy(error));
    for await (const part of source.pipe(deflate)) {
      packed += BigInt((part as Buffer).length);
      yield part as Buffer;
    }
    const descriptor = Buffer.alloc(24);
    descriptor.writeUInt32LE(0x08074b50, 0);
    descriptor.writeUInt32LE(crc, 4);
    descriptor.writeBigUInt64LE(packed, 8);
    descriptor.writeBigUInt64LE(size, 16);
    yield descriptor;
    offset += packed + 24n;
    entries.push({ name, crc, packed, size, offset: start });
  }
  const central = Buffer.concat(entries.map(centralHeader));
  yield central;
  yield endOf(entries.length, BigInt(central.length), offset);
}

/** Section 4.3.7, with an empty ZIP64 field that tells the width of the sizes behind the data. */
function localHeader(name: Buffer): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(ZIP64, 4);
  header.writeUInt16LE((1 << 3) | (1 << 11), 6);
  header.writeUInt16LE(8, 8);
  header.writeUInt16LE(DATE, 12);
  header.writeUInt32LE(0xffffffff, 18);
  header.writeUInt32LE(0xffffffff, 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(20, 28);
  const extra = Buffer.alloc(20);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(16, 2);
  return Buffer.concat([header, name, extra]);
}

/** Section 4.3.12. */
function centralHeader({ name, crc, packed, size, offset }: Entry): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  // Made by Unix, so that the permissions count.
  header.writeUInt16LE((3 << 8) | ZIP64, 4);
  header.writeUInt16LE(ZIP64, 6);
  header.writeUInt16LE((1 << 3) | (1 << 11), 8);
  header.writeUInt16LE(8, 10);
  header.writeUInt16LE(DATE, 14);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(0xffffffff, 20);
  header.writeUInt32LE(0xffffffff, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(28, 30);
  header.writeUInt32LE(0o100644 * 65536, 38);
  header.writeUInt32LE(0xffffffff, 42);
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  extra.writeBigUInt64LE(size, 4);
  extra.writeBigUInt64LE(packed, 12);
  extra.writeBigUInt64LE(offset, 20);
  return Buffer.concat([header, name, extra]);
}

/** Sections 4.3.14 to 4.3.16. */
function endOf(count: number, size: bigint, offset: bigint): Buffer {
  const end = Buffer.alloc(56 + 20 + 22);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE((3 << 8) | ZIP64, 12);
  end.writeUInt16LE(ZIP64, 14);
  end.writeBigUInt64LE(BigInt(count), 24);
  end.writeBigUInt64LE(BigInt(count), 32);
  end.writeBigUInt64LE(size, 40);
  end.writeBigUInt64LE(offset, 48);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(offset + size, 64);
  end.writeUInt32LE(1, 72);
  end.writeUInt32LE(0x06054b50, 76);
  end.writeUInt16LE(Math.min(count, 0xffff), 84);
  end.writeUInt16LE(Math.min(count, 0xffff), 86);
  end.writeUInt32LE(0xffffffff, 88);
  end.writeUInt32LE(0xffffffff, 92);
  return end;
}
