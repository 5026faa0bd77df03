import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256 } from '../../../src/core/digest.ts';
import type { Host } from '../../../src/core/host.ts';
import type { Layer } from '../../../src/core/layer.ts';
import { DiskRoot } from '../../../src/machines/vm/disk-root.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-disk-root-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A layer with the header of a qcow2, and a host that only notes what it is to do. */
function diskRoot(fails?: string) {
  mkdirSync(join(dir, 'layer/files'), { recursive: true });
  writeFileSync(join(dir, 'layer/files/disk.qcow2'), Buffer.alloc(32));
  const layer: Layer = {
    id: sha256('disk'),
    kind: 'qcow2',
    parents: [],
    blobs: [],
    localOnly: true,
    result: null,
    dir: join(dir, 'layer'),
  };
  const done: string[] = [];
  const host = {
    run: async (command: string, args: readonly string[]) => {
      done.push(`${command} ${args[0]}`);
      if (command === fails) throw new Error('Input/output error');
      return { exitCode: 0, stdout: '', stderr: '' };
    },
    mountDisk: async () => ({
      target: join(dir, 'root'),
      [Symbol.asyncDispose]: async () => void done.push('unmount'),
    }),
  } as unknown as Host;
  return { root: new DiskRoot(host, dir, [layer]), done };
}

test('everything is written before the disk is taken for whole', async () => {
  const { root, done } = diskRoot();
  expect(await root.close()).toBe(join(dir, 'disk0/overlay.qcow2'));
  expect(done).toEqual(['qemu-img create', 'sync --file-system', 'unmount']);
});

test('a disk that could not be written is none, and is unmounted all the same', async () => {
  const { root, done } = diskRoot('sync');
  await expect(root.close()).rejects.toThrow('Input/output error');
  await root[Symbol.asyncDispose]();
  expect(done).toEqual(['qemu-img create', 'sync --file-system', 'unmount']);
});
