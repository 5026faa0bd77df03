import { crc32, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../../src/disk/formats/crc32c.ts';
import { combineCrc32 } from '../../../src/disk/formats/crc32-combine.ts';
import { gzipStream } from '../../../src/disk/formats/gzip-stream.ts';
import { Pool } from '../../../src/disk/formats/pool.ts';
import { noise, text } from './disks.ts';

test('crc32c of the vectors of RFC 3720, appendix B.4', () => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e);
});

test('combineCrc32 is the CRC of both in a row', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(crc32(Buffer.concat([a, b])));
    }),
  );
  const large = noise(3_000_001, 9);
  expect(combineCrc32(crc32(text(10)), crc32(large), large.length)).toBe(
    crc32(Buffer.concat([text(10), large])),
  );
});

test.each([0, 8, 262_144, 262_145, 3_000_000])(
  'gzipStream of %i bytes unpacks to them, however they come',
  async (length) => {
    await using pool = new Pool(2);
    const bytes = Buffer.concat([text(length >> 1), noise(length - (length >> 1), 7)]);
    const packed = async (chunk: number) => {
      async function* source() {
        for (let at = 0; at < length; at += chunk) yield { bytes: bytes.subarray(at, at + chunk) };
      }
      const parts: Buffer[] = [];
      await gzipStream(source(), { write: async (part) => void parts.push(Buffer.from(part)) }, pool);
      return Buffer.concat(parts);
    };
    const whole = await packed(1 << 20);
    expect(gunzipSync(whole).equals(bytes)).toBe(true);
    expect((await packed(10_007)).equals(whole)).toBe(true);
  },
);
