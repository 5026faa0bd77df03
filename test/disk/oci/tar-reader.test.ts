import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTar } from '../../../src/disk/oci/tar-reader.ts';
import { tarHeader, tarPadding, withChecksum } from '../../../src/disk/formats/tar-header.ts';
import { archiveOf, inPieces } from './archives.ts';

async function names(bytes: Buffer, pieces?: number): Promise<string[]> {
  const found: string[] = [];
  for await (const member of readTar(inPieces(bytes, pieces))) found.push(member.name);
  return found;
}

test('names, content, owners and attributes come back, in pieces of any size', async () => {
  const long = `${'d'.repeat(90)}/${'f'.repeat(90)}`;
  const bytes = archiveOf([
    { path: long, data: 'hello', uid: 3_000_000, xattrs: { 'user.a': 'b' } },
    { path: 'next' },
  ]);
  for (const pieces of [1, 511, 512, 100_000]) {
    const found = [];
    for await (const m of readTar(inPieces(bytes, pieces))) {
      const parts: Buffer[] = [];
      for await (const chunk of m.content()) parts.push(chunk);
      found.push([m.name, m.uid, m.xattrs.get('user.a')?.toString(), Buffer.concat(parts).toString()]);
    }
    expect(found).toEqual([
      [long, 3_000_000, 'b', 'hello'],
      ['next', 0, undefined, ''],
    ]);
  }
});

test("GNU's long names and ustar's prefix", async () => {
  const text = Buffer.from(`${'n'.repeat(300)}\0`);
  const gnu = tarHeader({ name: '././@LongLink', size: text.length, mtime: 0 }, 'oldgnu');
  gnu.write('L', 156);
  const ustar = tarHeader({ name: 'file', size: 0, mtime: 0 });
  ustar.write('folder', 345);
  const bytes = Buffer.concat([
    withChecksum(gnu),
    text,
    tarPadding(text.length),
    tarHeader({ name: 'short', size: 0, mtime: 0 }),
    withChecksum(ustar),
  ]);
  expect(await names(bytes)).toEqual(['n'.repeat(300), 'folder/file']);
});

test.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
  ['a flipped bit', (b) => Buffer.from(b.map((byte, i) => (i === 3 ? byte ^ 1 : byte))), /checksum/],
  ['a cut header', (b) => b.subarray(0, 300), /within a header/],
  ['a cut file', (b) => b.subarray(0, 514), /within a file/],
])('%s is told', async (_what, damage, message) => {
  const error = await names(damage(archiveOf([{ path: 'a', data: 'hello' }]))).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: 'disk/bad-tar' });
  expect((error as Error).message).toMatch(message);
});

test('any bytes end in members or in disk/bad-tar', async () => {
  const start = archiveOf([{ path: 'a', data: 'hello', xattrs: { 'user.a': 'b' } }]);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(start.length - 1),
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      async (at, noise) => {
        const bytes = Buffer.from(start);
        bytes.set(noise.subarray(0, bytes.length - at), at);
        const header = bytes.subarray(0, 512);
        withChecksum(header);
        await names(bytes).catch((error: { code?: string }) => expect(error.code).toBe('disk/bad-tar'));
      },
    ),
  );
});
