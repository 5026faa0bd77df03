import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHost } from '../../src/host/index.ts';
import { createOverlay } from '../../src/host/qemu-image.ts';
import { saveState } from '../../src/host/qemu-state.ts';
import { type Qemu, type QemuOptions, startQemu } from '../../src/host/qemu.ts';

// Firmware alone, without a system: what UEFI writes into its variables when it finds nothing to boot.

const MIB = 1024 ** 2;
const signal = new AbortController().signal;
let dir: string;
let host: ReturnType<typeof createHost>;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-state-'));
  host = createHost({ leaseDir: join(dir, 'leases') });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function start(name: string, resume?: QemuOptions['resume']): Promise<Qemu> {
  const stateDir = join(dir, name);
  mkdirSync(stateDir);
  const path = join(stateDir, 'disk.qcow2');
  const disk = await createOverlay(host, path, { path, format: 'qcow2' }, 64 * MIB);
  const serial = [{ file: join(stateDir, 'console.log') }];
  const options = { disk: { path: disk.path, format: disk.format }, stateDir, serial } as const;
  const machine = { memory: 256 * MIB, cpus: 1, firmware: 'uefi', accel: 'tcg' } as const;
  return await startQemu({ ...options, ...machine, ...(resume && { resume }) }, { host, signal });
}

const variables = (qemu: Qemu): Buffer => readFileSync(join(qemu.stateDir, 'uefi-vars.fd'));

test("UEFI's variables go with the memory", async () => {
  const file = join(dir, 'memory');
  await using one = await start('one');
  const empty = variables(one);
  await expect.poll(() => variables(one).equals(empty), { timeout: 120_000, interval: 200 }).toBe(false);
  await one.execute('stop');
  const { written } = await saveState(one, file, signal);
  await written;
  await using two = await start('two', { file, key: one.key });
  expect(two.resumed).toBe(true);
  await expect.poll(() => variables(two).equals(empty), { timeout: 60_000, interval: 200 }).toBe(false);
  expect(await two.execute('query-status')).toMatchObject({ status: 'running' });
});
