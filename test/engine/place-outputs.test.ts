import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Context } from '../../src/core/context.ts';
import { placeOutput } from '../../src/engine/place-outputs.ts';
import { createHost } from '../../src/host/index.ts';

const OTHER_FILESYSTEM = '/dev/shm';

let dir: string;
let ctx: Context;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-place-'));
  mkdirSync(join(dir, 'cache'));
  writeFileSync(join(dir, 'cache/web.raw'), 'bytes');
  const host = createHost({ leaseDir: join(dir, 'leases') });
  ctx = { host, signal: new AbortController().signal } as unknown as Context;
});
afterEach(() => rmSync(dir, { recursive: true }));

const place = (outputDir: string) => placeOutput(join(dir, 'cache/web.raw'), outputDir, 'web.raw', ctx);

test('an output is a second name of the cached file, and placing it again changes nothing', async () => {
  const target = await place(join(dir, 'a/b'));
  expect(statSync(target).ino).toBe(statSync(join(dir, 'cache/web.raw')).ino);
  const before = statSync(join(dir, 'a/b')).mtimeMs;
  expect(await place(join(dir, 'a/b'))).toBe(target);
  expect(statSync(join(dir, 'a/b')).mtimeMs).toBe(before);
});

test('what lies there is replaced, not written into', async () => {
  mkdirSync(join(dir, 'out'));
  writeFileSync(join(dir, 'out/web.raw'), 'older content');
  const held = statSync(join(dir, 'out/web.raw')).ino;
  const target = await place(join(dir, 'out'));
  expect(readFileSync(target, 'utf8')).toBe('bytes');
  expect(statSync(target).ino).not.toBe(held);
  expect(readdirSync(join(dir, 'out'))).toEqual(['web.raw']);
});

const sameFilesystem = statSync(OTHER_FILESYSTEM, { throwIfNoEntry: false })?.dev === statSync(tmpdir()).dev;
test.skipIf(sameFilesystem)('on another filesystem it is a copy with the same time', async () => {
  const other = mkdtempSync(join(OTHER_FILESYSTEM, 'ingot-place-'));
  try {
    const target = await place(other);
    expect(readFileSync(target, 'utf8')).toBe('bytes');
    const [copy, source] = [statSync(target), statSync(join(dir, 'cache/web.raw'))];
    expect(copy.nlink).toBe(1);
    expect(copy.ino).not.toBe(source.ino);
    await place(other);
    expect(statSync(target).ino).toBe(copy.ino);
  } finally {
    rmSync(other, { recursive: true });
  }
});
