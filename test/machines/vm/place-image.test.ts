import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Context } from '../../../src/core/context.ts';
import { createHost } from '../../../src/host/index.ts';
import { placeImage } from '../../../src/machines/vm/place-image.ts';
import { rememberedHash } from '../../../src/sources/qemu/file-hash.ts';
import { requireImage } from '../../../src/sources/qemu/pin.ts';

let dir: string;
let ctx: Context;
const { signal } = new AbortController();
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-place-'));
  ctx = { host: createHost({ leaseDir: join(dir, 'leases') }), signal, cacheDir: dir } as unknown as Context;
});
afterEach(() => rmSync(dir, { recursive: true }));

test('an image that was replaced since it was hashed is not taken for what was planned', async () => {
  const path = join(dir, 'base.raw');
  writeFileSync(path, Buffer.alloc(65_536, 1));
  const sha256 = await rememberedHash(path, 'sha256', join(dir, 'hashes'), signal);
  const image = { path, format: 'raw' as const, verify: () => requireImage(path, sha256, ctx) };
  await placeImage(ctx, image, join(dir, 'good.qcow2'));
  expect(readFileSync(join(dir, 'good.qcow2')).subarray(0, 3).toString()).toBe('QFI');
  writeFileSync(path, Buffer.alloc(65_536, 2));
  await expect(placeImage(ctx, image, join(dir, 'bad.qcow2'))).rejects.toMatchObject({
    code: 'engine/input-changed',
    message: expect.stringContaining(`${sha256} was planned`),
  });
});

test('a build that is stopped stops the copy', async () => {
  writeFileSync(join(dir, 'base.raw'), Buffer.alloc(65_536, 1));
  const stopped = { ...ctx, signal: AbortSignal.abort(new Error('stopped')) };
  const image = { path: join(dir, 'base.raw'), format: 'raw' as const };
  await expect(placeImage(stopped, image, join(dir, 'disk.qcow2'))).rejects.toThrow();
});
