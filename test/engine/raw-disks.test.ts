import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Context } from '../../src/core/context.ts';
import type { Layer } from '../../src/core/layer.ts';
import { type DiskSubject, RawDisks } from '../../src/engine/raw-disks.ts';
import { createHost } from '../../src/host/index.ts';

let dir: string;
let ctx: Context;
const layer = { id: 'sha256:00', dir: '/cache/layers/00' } as unknown as Layer;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-raw-'));
  ctx = { host: createHost({ leaseDir: join(dir, 'leases') }), workDir: join(dir, 'work') } as Context;
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A room that writes a disk, but for the first `failures` times. */
function rooms(failures = 0) {
  let calls = 0;
  const flattenDisk = async (_chain: unknown, target: string): Promise<void> => {
    if (++calls <= failures) throw new Error('the disk is full');
    writeFileSync(target, 'raw');
  };
  return { flattenDisk, calls: () => calls };
}

test('an assembled disk is where its step put it', async () => {
  const room = rooms();
  await using disks = new RawDisks(room);
  expect(await disks.pathOf({ layer }, ctx)).toBe('/cache/layers/00/files/disk.raw');
  expect(room.calls()).toBe(0);
});

test('a disk image is written once for all who ask, and goes with the build', async () => {
  const room = rooms();
  const image: DiskSubject = { layer, chain: [layer] };
  let path = '';
  {
    await using disks = new RawDisks(room);
    const paths = await Promise.all([disks.pathOf(image, ctx), disks.pathOf(image, ctx)]);
    path = paths[0];
    expect(paths).toEqual([path, path]);
    expect(readFileSync(path, 'utf8')).toBe('raw');
  }
  expect(room.calls()).toBe(1);
  expect(existsSync(path)).toBe(false);
});

test('one that could not be written is tried again', async () => {
  const room = rooms(1);
  await using disks = new RawDisks(room);
  await expect(disks.pathOf({ layer, chain: [layer] }, ctx)).rejects.toThrow('full');
  expect(readFileSync(await disks.pathOf({ layer, chain: [layer] }, ctx), 'utf8')).toBe('raw');
});
