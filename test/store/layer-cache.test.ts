import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Digest, hexOf, sha256 } from '../../src/core/digest.ts';
import type { Host } from '../../src/core/host.ts';
import { createHost } from '../../src/host/index.ts';
import { type DiskLayerCache, openLayerCache } from '../../src/store/layer-cache.ts';

let dir: string;
let host: Host;
let cache: DiskLayerCache;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-layers-'));
  host = createHost({ leaseDir: join(dir, 'leases') });
  cache = await openLayerCache({ dir, host });
});
afterEach(() => rmSync(dir, { recursive: true }));

const id = (name: string): Digest => sha256(name);
const noteOf = (name: string): string => join(dir, 'layers', hexOf(id(name)), 'layer.json');

async function add(name: string, parents: readonly string[] = [], content = name, into = cache) {
  await using staged = await into.stage(id(name));
  writeFileSync(join(staged.dir, 'fs/content'), content);
  return await staged.commit({ kind: 'overlay', parents: parents.map(id), result: { name } });
}
const contentOf = (layer: { dir: string } | undefined): string =>
  readFileSync(join(layer?.dir ?? '', 'fs/content'), 'utf8');

describe('layers', () => {
  test('where there are none, nothing is written to look for them', async () => {
    const none = await openLayerCache({ dir: join(dir, 'none'), host });
    expect(await none.lookup(id('a'))).toBeUndefined();
    expect(await none.list()).toEqual([]);
    expect(await none.gc({ maxBytes: 0 })).toEqual({ removed: [], keptBytes: 0 });
    expect(existsSync(join(dir, 'none'))).toBe(false);
  });

  test('a committed layer is found, also by another process', async () => {
    const layer = await add('a');
    const other = await openLayerCache({ dir, host: createHost({ leaseDir: join(dir, 'other') }) });
    expect(await other.lookup(id('a'))).toEqual(layer);
    expect(layer).toMatchObject({
      kind: 'overlay',
      parents: [],
      blobs: [],
      localOnly: false,
      result: { name: 'a' },
    });
    expect(contentOf(layer)).toBe('a');
  });

  test('what is staged is not seen before it is committed, and goes when it is not', async () => {
    {
      await using staged = await cache.stage(id('a'));
      writeFileSync(join(staged.dir, 'fs/content'), 'half');
      expect(await cache.lookup(id('a'))).toBeUndefined();
    }
    expect(await cache.lookup(id('a'))).toBeUndefined();
    expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
    expect(readdirSync(join(dir, 'leases'))).toEqual([]);
  });

  test('the first commit wins', async () => {
    const layers = await Promise.all(['one', 'two', 'three'].map((content) => add('a', [], content)));
    expect(new Set(layers.map(contentOf)).size).toBe(1);
    {
      await using late = await cache.stage(id('a'));
      await late.commit({ kind: 'overlay', parents: [], result: null });
      expect(late.isSecond).toBe(true);
    }
    expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
  });

  test.each([
    ['no note', () => rmSync(noteOf('a'))],
    ['a note cut short', () => writeFileSync(noteOf('a'), '{"id":"sha2')],
    [
      'the note of another layer',
      () => writeFileSync(noteOf('a'), JSON.stringify({ id: id('b'), parents: [] })),
    ],
  ])('a layer with %s is none, and is made anew', async (_what, damage) => {
    await add('a', [], 'first');
    damage();
    expect(await cache.lookup(id('a'))).toBeUndefined();
    expect(contentOf(await add('a', [], 'again'))).toBe('again');
    expect(contentOf(await cache.lookup(id('a')))).toBe('again');
  });
});

describe('a file that was changed since it was committed', () => {
  const commit = async (content: string) => {
    await using staged = await cache.stage(id('disk'));
    writeFileSync(join(staged.dir, 'files/disk.raw'), content);
    return await staged.commit({ kind: 'files', parents: [], result: null });
  };

  test.each([
    ['written to', (path: string) => writeFileSync(path, 'other')],
    ['made longer', (path: string) => truncateSync(path, 100)],
    ['removed', (path: string) => rmSync(path)],
  ])('%s: the layer is none, and is made anew', async (_what, change) => {
    const layer = await commit('bytes');
    expect(await cache.lookup(id('disk'))).toEqual(layer);
    // A clock that is coarse must not hide the change.
    await new Promise((done) => setTimeout(done, 20));
    change(join(layer.dir, 'files/disk.raw'));
    expect(await cache.lookup(id('disk'))).toBeUndefined();
    await commit('again');
    expect(await cache.lookup(id('disk'))).toEqual(layer);
    expect(readFileSync(join(layer.dir, 'files/disk.raw'), 'utf8')).toBe('again');
  });
});

describe('garbage collection', () => {
  const age = (name: string, days: number): void => {
    const then = new Date(Date.now() - days * 86_400_000);
    utimesSync(noteOf(name), then, then);
  };
  const names = async (): Promise<string[]> =>
    (await cache.list()).map((l) => ['a', 'b', 'c'].find((n) => id(n) === l.id) ?? '?').sort();

  beforeEach(async () => {
    await add('a');
    await add('b', ['a']);
    await add('c');
    for (const name of ['a', 'b', 'c']) age(name, 10);
  });

  test('what was not used for long goes; a lookup is a use, and saves what is below', async () => {
    await cache.lookup(id('b'));
    const report = await cache.gc({ maxAgeMs: 86_400_000 });
    expect(report.removed.map((l) => l.id)).toEqual([id('c')]);
    expect(await names()).toEqual(['a', 'b']);
    expect(report.keptBytes).toBeGreaterThan(0);
    expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
  });

  test('what another process holds stays until it lets go, or is killed', async () => {
    const other = await openLayerCache({ dir, host: createHost({ leaseDir: join(dir, 'other') }) });
    const lease = await other.lease([id('b')]);
    await cache.gc({ maxBytes: 0 });
    expect(await names()).toEqual(['a', 'b']);
    await lease[Symbol.asyncDispose]();
    await cache.gc({ maxBytes: 0 });
    expect(await names()).toEqual([]);
  });

  test('the lease of a process that is gone counts no more', async () => {
    await cache.lease([id('c')]);
    const leases = join(dir, 'layer-leases');
    const [name] = readdirSync(leases) as [string];
    const dead = join(leases, name.replace(/^\d+\.\d+/, `${process.pid}.1`));
    writeFileSync(dead, readFileSync(join(leases, name)));
    rmSync(join(leases, name));
    await cache.gc({ maxBytes: 0 });
    expect(await names()).toEqual([]);
    expect(existsSync(dead)).toBe(false);
  });

  test('keep', async () => {
    await cache.gc({ maxBytes: 0, keep: [id('c')] });
    expect(await names()).toEqual(['c']);
  });

  test('by name, with what stands on it', async () => {
    const removed = await cache.remove([id('a')]);
    expect(removed.map((l) => l.id)).toEqual([id('b'), id('a')]);
    expect(await names()).toEqual(['c']);
    await using _lease = await cache.lease([id('c')]);
    expect(await cache.remove([id('c')])).toEqual([]);
  });

  test('of one kind, which alone counts', async () => {
    await using staged = await cache.stage(id('m'));
    writeFileSync(join(staged.dir, 'files/memory'), 'state');
    await staged.commit({ kind: 'vm-state', parents: [id('a')], localOnly: true, result: null });
    await cache.bound?.('vm-state', 1024 ** 3);
    expect(await cache.lookup(id('m'))).toMatchObject({ kind: 'vm-state' });
    await cache.bound?.('vm-state', 0);
    expect(await cache.lookup(id('m'))).toBeUndefined();
    expect(await names()).toEqual(['a', 'b', 'c']);
  });
});
