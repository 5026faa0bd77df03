import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { GZIP_LEVEL, gzipStream } from '../../../src/disk/formats/gzip-stream.ts';
import type { LayerChunk } from '../../../src/disk/formats/layer-tar.ts';
import { PackedPieces } from '../../../src/disk/formats/packed-pieces.ts';
import { type GzipAnswer, Pool } from '../../../src/disk/formats/pool.ts';
import { noise, text } from './disks.ts';

/** Counts the pieces that are deflated. */
class CountingPool extends Pool {
  deflated = 0;
  override gzip(bytes: Uint8Array<ArrayBuffer>, level: number): Promise<GzipAnswer> {
    this.deflated++;
    return super.gzip(bytes, level);
  }
}

let cacheDir: string;
beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), 'ingot-pieces-'));
});
afterEach(() => rmSync(cacheDir, { recursive: true }));

const FILES = Array.from({ length: 200 }, (_, i) => ({
  name: `usr/lib/file-${i}`,
  content: i % 40 === 0 ? noise(600_000, i) : text(1000 + i),
}));

function* archive(files: typeof FILES): Generator<LayerChunk> {
  for (const { name, content } of files) {
    yield { bytes: Buffer.from(`${name}\n`), member: { name, size: content.length } };
    yield { bytes: Buffer.from(content) };
  }
}

/** Writes the archive as `name`, behind 512 other bytes; answers it, and how many pieces were deflated for it. */
async function write(files: typeof FILES, name: string, remember = true) {
  await using pool = new CountingPool(2);
  using pieces = await PackedPieces.open({ cacheDir }, GZIP_LEVEL);
  const path = join(cacheDir, name);
  const parts: Uint8Array[] = [];
  async function* source() {
    yield* archive(files);
  }
  const sink = { write: async (part: Uint8Array) => void parts.push(part) };
  await gzipStream(source(), sink, pool, remember ? { pieces, path, start: 512 } : undefined);
  await pieces.save();
  mkdirSync(cacheDir, { recursive: true });
  writeFileSync(path, Buffer.concat([Buffer.alloc(512), ...parts]));
  return { bytes: Buffer.concat(parts), deflated: pool.deflated };
}

test('what was deflated before is not deflated again, and the bytes are the same', async () => {
  const first = await write(FILES, 'a');
  const again = await write(FILES, 'b');
  expect(first.deflated).toBeGreaterThan(20);
  expect(again.deflated).toBe(0);
  expect(again.bytes.equals(first.bytes)).toBe(true);
  expect(gunzipSync(again.bytes).equals(Buffer.concat([...archive(FILES)].map(({ bytes }) => bytes)))).toBe(
    true,
  );
});

test.each([
  ['comes', [{ name: 'bin/new', content: text(77) }, ...FILES]],
  ['goes', FILES.filter(({ name }) => name !== 'usr/lib/file-101')],
  ['changes', FILES.map((f) => (f.name === 'usr/lib/file-101' ? { ...f, content: text(5000) } : f))],
])('a file that %s costs the pieces around it', async (_, files) => {
  await write(FILES, 'a');
  const changed = await write(files, 'b');
  expect(changed.deflated).toBeGreaterThan(0);
  expect(changed.deflated).toBeLessThanOrEqual(2);
  expect(changed.bytes.equals((await write(files, 'c', false)).bytes)).toBe(true);
});

test.each([
  ['is gone', (path: string) => rmSync(path)],
  ['was written over', (path: string) => writeFileSync(path, Buffer.alloc(4_000_000, 1))],
  ['was cut short', (path: string) => writeFileSync(path, Buffer.alloc(100))],
])('an archive that %s counts as none', async (_, damage) => {
  const first = await write(FILES, 'a');
  damage(join(cacheDir, 'a'));
  const again = await write(FILES, 'b');
  expect(again.deflated).toBe(first.deflated);
  expect(again.bytes.equals(first.bytes)).toBe(true);
});
