import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Digest, sha256 } from '../../src/core/digest.ts';
import { createHost } from '../../src/host/index.ts';
import { openLayerCache } from '../../src/store/layer-cache.ts';
import { runCli } from './run-cli.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-cache-'));
  vi.stubEnv('INGOT_CACHE_DIR', dir);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

const cli = (...args: string[]) => runCli(['cache', ...args]);

async function add(name: string, kind: 'qcow2' | 'vm-state', parents: Digest[] = []): Promise<Digest> {
  const cache = await openLayerCache({ dir, host: createHost({ leaseDir: join(dir, 'leases') }) });
  await using staged = await cache.stage(sha256(name));
  writeFileSync(join(staged.dir, 'files/content'), name);
  await staged.commit({ kind, parents, result: null });
  return staged.id;
}

test('ls shows disks and memories; rm takes one with what stands on it', async () => {
  const disk = await add('disk', 'qcow2');
  await add('memory', 'vm-state', [disk]);
  const other = await add('other', 'qcow2');
  expect((await cli('ls')).stdout).toMatch(/vm-state/);
  expect(await cli('rm', disk.slice(7, 19))).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^2 layers deleted/) as string,
  });
  const left = JSON.parse((await cli('ls', '--json')).stdout) as { id: Digest }[];
  expect(left.map(({ id }) => id)).toEqual([other]);
});

test.each(['0000', 'sha256:'])('rm %s names no layer', async (name) => {
  await add('disk', 'qcow2');
  const { code, stderr } = await cli('rm', name);
  expect(code).toBe(2);
  expect(stderr).toContain('cache/no-layer');
});

describe("buildah's storage", () => {
  const storage = (): string => join(dir, 'buildah');
  const used = (days: number): Date => new Date(Date.now() - days * 86_400_000);
  beforeEach(() => {
    mkdirSync(storage());
    writeFileSync(join(storage(), 'content'), Buffer.alloc(1 << 20, 1));
    utimesSync(storage(), used(2), used(2));
  });

  test('is listed, and goes by its name, but not from under a build', async () => {
    expect((await cli('ls')).stdout).toMatch(/^buildah\s+buildah\s+1\.0 MiB/m);
    const lock = spawn('flock', [join(dir, 'buildah.lock'), 'sh', '-c', 'echo held; cat'], { stdio: 'pipe' });
    await once(lock.stdout, 'data');
    expect((await cli('rm', 'buildah')).stdout).toMatch(/^0 layers/);
    expect(existsSync(storage())).toBe(true);
    lock.stdin.end();
    await once(lock, 'close');
    expect((await cli('rm', 'buildah')).stdout).toMatch(/^1 layers deleted, 1\.0 MiB/);
    expect(existsSync(storage())).toBe(false);
  });

  test.each([
    ['--older-than 1d', 2, false],
    ['--older-than 3d', 2, true],
    // Room for all, for neither, and for it beside no layer.
    ['--max-size 100M', 2, true],
    ['--max-size 100K', 2, false],
    ['--max-size 1030K', -1, true],
    // It is the longest unused.
    ['--max-size 1030K', 2, false],
  ])('prune %s, last used %d days ago: stays %s', async (flags, days, stays) => {
    await add('layer', 'qcow2');
    utimesSync(storage(), used(days), used(days));
    expect((await cli('prune', ...flags.split(' '))).code).toBe(0);
    expect(existsSync(storage())).toBe(stays);
  });

  test('goes with all caches', async () => {
    expect((await runCli(['clean', '--all'])).code).toBe(0);
    expect(existsSync(storage())).toBe(false);
  });
});
