import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHost } from '../../../src/host/index.ts';
import { needlesOf } from '../../../src/scan/residue/needles.ts';
import { type FileSearch, searchFile } from '../../../src/scan/residue/search-file.ts';
import { NeedleSet, StreamSearch } from '../../../src/scan/residue/search-stream.ts';
import { searchTree } from '../../../src/scan/residue/search-tree.ts';
import { UnpackBudget } from '../../../src/scan/residue/unpack-budget.ts';

const SECRET = 'correct-horse-battery';
const needles = new NeedleSet(needlesOf([SECRET]).needles);
const { signal } = new AbortController();
const contextOf = (budget = new UnpackBudget()) => ({
  host: createHost({ leaseDir: join(dir, 'leases') }),
  signal,
  budget,
});
let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'ingot-residue-'))));
afterEach(() => rmSync(dir, { recursive: true }));

describe('StreamSearch', () => {
  test('finds each place once, however the bytes come', () => {
    const text = Buffer.from(
      `${'x'.repeat(40)}${SECRET}${SECRET}yy${Buffer.from(SECRET).toString('base64')}z`,
    );
    const whole = new StreamSearch(needles);
    whole.add(text, 0);
    const expected = whole.hits.map(({ offset }) => offset);
    expect(expected).toEqual([40, 61, 84]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 30 }), (cuts) => {
        const search = new StreamSearch(needles);
        const bounds = [0, ...cuts.sort((a, b) => a - b), text.length];
        for (let i = 1; i < bounds.length; i++)
          search.add(text.subarray(bounds[i - 1], bounds[i]), bounds[i - 1] as number);
        expect(search.hits.map(({ offset }) => offset).sort((a, b) => a - b)).toEqual(expected);
      }),
    );
  });

  test('what lies on two sides of a hole is no place', () => {
    const search = new StreamSearch(needles);
    search.add(Buffer.from(SECRET.slice(0, 10)), 0);
    search.add(Buffer.from(SECRET.slice(10)), 4096);
    expect(search.hits).toEqual([]);
  });

  test('many places of one secret do not fill the memory', () => {
    const search = new StreamSearch(needles);
    search.add(Buffer.from(SECRET.repeat(5000)), 0);
    expect(search.hits).toHaveLength(20);
  });
});

describe('searchFile', () => {
  const search = async (
    content: Buffer,
    extents = [{ start: 0, end: content.length }],
    budget?: UnpackBudget,
  ) => {
    writeFileSync(join(dir, 'disk'), content);
    return await searchFile(join(dir, 'disk'), extents, needles, contextOf(budget));
  };

  test('reads the stretches with data only', async () => {
    const disk = Buffer.alloc(3 << 20);
    disk.write(SECRET, 2 << 20);
    const found = await search(disk, [{ start: 2 << 20, end: (2 << 20) + 4096 }]);
    expect(found.hits.map(({ offset }) => offset)).toEqual([2 << 20]);
    expect(found.searched).toBe(4096);
  });

  test.each([
    ['short', 100],
    ['longer than what is read at first', 2 << 20],
  ])('looks into gzip, %s', async (_, length) => {
    const noise = Buffer.from(
      Array.from({ length }, (__, i) => (i * i * 31 + (i >> 8) * 7 + (i >> 3)) & 0xff),
    );
    const packed = gzipSync(Buffer.concat([noise, Buffer.from(SECRET), noise]), { level: 0 });
    const found = await search(Buffer.concat([Buffer.alloc(8192), packed, Buffer.alloc(5000, 1)]));
    expect(found.hits.some((hit) => hit.packing === 'gzip' && hit.offset === 8192)).toBe(true);
  });

  test('a large gzip that is compressed well is searched to its end', async () => {
    const packed = gzipSync(Buffer.concat([Buffer.alloc(50 << 20), Buffer.from(SECRET)]));
    const found = await search(Buffer.concat([packed, Buffer.alloc(100)]));
    expect(found.hits).toMatchObject([{ packing: 'gzip', offset: 0 }]);
  });

  test('goes on after a large gzip', async () => {
    const large = gzipSync(Buffer.alloc(50 << 20));
    const small = gzipSync(Buffer.from(SECRET));
    const found = await search(Buffer.concat([large, small]));
    expect(found.hits).toMatchObject([{ packing: 'gzip', offset: large.length }]);
  });

  test('what only looks like gzip, or is cut off, is no error', async () => {
    const packed = gzipSync(Buffer.from(`${SECRET} ${'lorem ipsum '.repeat(1000)}`));
    const found = await search(
      Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0xff, 1, 2, 3]), packed.subarray(0, -20)]),
    );
    expect(found.hits).toMatchObject([{ packing: 'gzip', offset: 7 }]);
  });

  test('stops when it is told to', async () => {
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    writeFileSync(join(dir, 'disk'), 'x');
    const ctx = { ...contextOf(), signal: stop.signal };
    await expect(searchFile(join(dir, 'disk'), [{ start: 0, end: 1 }], needles, ctx)).rejects.toThrow(
      'enough',
    );
  });

  /** A few bytes may lie in a packed stream as they are. */
  const packedHits = (found: FileSearch) => found.hits.filter(({ packing }) => packing !== undefined);
  const pack = (command: string, content: Buffer, ...args: string[]): Buffer =>
    execFileSync(command, ['-c', ...args], { input: content, maxBuffer: 1 << 28 });

  test.each([
    ['xz', 'xz', []],
    ['zstd', 'zstd', ['-q', '--no-check']],
    ['zstd', 'zstd', ['-q', '-19', '--no-content-size']],
  ] as const)(
    'looks into %s among other blocks, behind the edge of a piece too',
    async (packing, command, args) => {
      const packed = pack(command, Buffer.concat([Buffer.alloc(1 << 20), Buffer.from(SECRET)]), ...args);
      for (const offset of [8192, (4 << 20) - 2]) {
        const found = await search(Buffer.concat([Buffer.alloc(offset), packed, Buffer.alloc(5000, 1)]));
        expect(packedHits(found)).toMatchObject([{ packing, offset }]);
      }
    },
  );

  test('an initramfs: an early archive, and one packed with zstd behind it', async () => {
    // cpio(5), "newc": a header of numbers in hex, the name, the content as it is.
    const cpio = (text: string): Buffer => Buffer.from(`070701${'0'.repeat(104)}conf\0\0${text}`);
    const image = Buffer.concat([cpio('microcode'), pack('zstd', cpio(`KEY=${SECRET}`), '-q')]);
    expect(packedHits(await search(image))).toMatchObject([
      { packing: 'zstd', offset: cpio('microcode').length },
    ]);
  });

  test.each([
    ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1, 2, 3])],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff, 0xff, 0xff])],
  ])('what only looks like %s is no error', async (_, bytes) => {
    expect((await search(Buffer.concat([bytes, Buffer.alloc(100_000, 7)]))).hits).toEqual([]);
  });

  test.each(['gzip', 'xz', 'zstd'])('a %s bomb ends with the budget, which is told', async (command) => {
    const bomb = pack(command, Buffer.concat([Buffer.alloc(40 << 20), Buffer.from(SECRET)]));
    expect(bomb.length).toBeLessThan(1 << 20);
    const budget = new UnpackBudget(1 << 30, 10 << 20);
    expect(packedHits(await search(bomb, undefined, budget))).toEqual([]);
    expect(budget.exceeded).toBe(true);
    expect(packedHits(await search(bomb))).toMatchObject([{ packing: command }]);
  });
});

test('searchTree looks at contents, names and targets of links, and follows none', async () => {
  mkdirSync(join(dir, 'root/etc'), { recursive: true });
  writeFileSync(join(dir, 'outside'), SECRET);
  writeFileSync(join(dir, 'root/etc/app.conf'), `password=${SECRET}\n`);
  writeFileSync(join(dir, `root/etc/${SECRET}.bak`), 'nothing');
  writeFileSync(join(dir, 'root/etc/clean'), 'nothing');
  symlinkSync(`/run/${SECRET}`, join(dir, 'root/etc/link'));
  symlinkSync('../../outside', join(dir, 'root/etc/escape'));
  const { hits } = await searchTree(join(dir, 'root'), needles, contextOf());
  expect(hits.map(({ path }) => path).sort()).toEqual([
    '/etc/app.conf',
    '/etc/link',
    `the name of /etc/${SECRET}.bak`,
  ]);
});
