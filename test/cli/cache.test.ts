import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
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
