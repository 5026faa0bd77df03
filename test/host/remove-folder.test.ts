import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createHost } from '../../src/host/create-host.ts';

test('a folder goes whose paths are longer than the kernel takes', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-remove-'));
  const scratch = await createHost({ leaseDir: join(dir, 'leases') }).scratch(dir, 'deep-');
  execFileSync('sh', ['-c', 'n=$(printf "%0200d" 0); for i in $(seq 30); do mkdir $n && cd -P $n; done'], {
    cwd: scratch.dir,
  });
  await scratch[Symbol.asyncDispose]();
  expect(existsSync(scratch.dir)).toBe(false);
  rmSync(dir, { recursive: true });
});
