import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from './context.ts';
import { DISKS, exportOne, makeDisk } from './disks.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/ingot-formats-`);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe.each(['zlib', 'zstd', 'none'])('qcow2 with %s', (compression) => {
  test.each(Object.keys(DISKS))('qemu-img finds no fault in %s and reads the same bytes', async (name) => {
    const disk = makeDisk(`${dir}/disk.raw`, name);
    const file = await exportOne(dir, disk, 'qcow2', { compression });
    const check = await run('qemu-img', ['check', '--output=json', file.path]);
    expect(JSON.parse(check.stdout)).toMatchObject({ 'check-errors': 0 });
    expect(check.stdout).not.toMatch(/leaks|corruptions/);
    await run('qemu-img', ['compare', '-f', 'raw', '-F', 'qcow2', disk.path, file.path]);
    const info = JSON.parse((await run('qemu-img', ['info', '--output=json', file.path])).stdout);
    expect(info['virtual-size']).toBe(file.virtualSize);
    expect(info['format-specific'].data['compression-type']).toBe(compression === 'zstd' ? 'zstd' : 'zlib');
  });
});
