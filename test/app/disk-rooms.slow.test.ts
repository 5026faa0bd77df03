import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { flattenDisk, writableDisk } from '../../src/app/disk-rooms.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Context } from '../../src/core/context.ts';
import { sha256 } from '../../src/core/digest.ts';
import { type Layer, layerFile } from '../../src/core/layer.ts';
import { createHost } from '../../src/host/index.ts';
import { LAYER_DISK } from '../../src/machines/vm/chain-disk.ts';

const SECRET = 'correct horse battery staple';
/** Of a qcow2 as qemu-img makes it; what is smaller is not given back. */
const CLUSTER = 65_536;
let dir: string;
let ctx: Context;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-disk-rooms-'));
  ctx = {
    signal: new AbortController().signal,
    emit: () => {},
    step: 'test',
    host: createHost({ leaseDir: join(dir, 'leases') }),
    clock: systemClock,
    secrets: { resolve: async () => '' },
    workDir: dir,
    cacheDir: dir,
    epoch: 1_700_000_000,
    templateDir: dir,
  };
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function layer(name: string): Layer {
  const at = join(dir, name);
  mkdirSync(join(at, 'files'), { recursive: true });
  return { id: sha256(name), kind: 'qcow2', parents: [], blobs: [], localOnly: false, result: null, dir: at };
}

test('what a step deletes at last is given back, up to parts of clusters', async () => {
  const image = layer('image');
  const tree = join(dir, 'tree');
  mkdirSync(tree);
  writeFileSync(join(tree, 'secret'), SECRET.repeat(100_000));
  const raw = join(dir, 'image.raw');
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', tree, raw, '64M']);
  execFileSync('qemu-img', ['convert', '-O', 'qcow2', raw, layerFile(image, LAYER_DISK)]);
  expect((await readFile(raw)).includes(SECRET)).toBe(true);

  const sealed = layer('sealed');
  {
    await using view = await writableDisk([image], ctx);
    rmSync(join(view.root.dir, 'secret'));
    expect(await view.moveTo(sealed)).toBe('qcow2');
  }
  const flat = join(dir, 'flat.raw');
  await flattenDisk([image, sealed], flat, ctx);
  const left = (await readFile(flat)).toString('latin1').split(SECRET).length - 1;
  expect(left * SECRET.length).toBeLessThan(2 * CLUSTER);
});
