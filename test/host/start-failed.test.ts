import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { createHost } from '../../src/host/create-host.ts';

// As when the machine has no process left to give: spawn(3) fails, and there is no pid.
vi.mock('../../src/host/tools.ts', async (original) => ({
  ...(await original<object>()),
  findTool: () => '/nonexistent/tool',
}));

const dir = mkdtempSync(join(tmpdir(), 'ingot-start-'));
afterAll(() => rmSync(dir, { recursive: true }));

test('a process that could not be started is an error, never one with the pid of all processes', async () => {
  const leaseDir = join(dir, 'leases');
  await expect(createHost({ leaseDir }).start('sleep', ['1'])).rejects.toMatchObject({
    code: 'host/cannot-run',
  });
  expect(readdirSync(leaseDir)).toEqual([]);
});
