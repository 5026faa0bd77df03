import { mkdir, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkBoot } from '../../../src/checks/boot.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { Context } from '../../../src/core/context.ts';
import { sha256 } from '../../../src/core/digest.ts';
import { createHost } from '../../../src/host/index.ts';
import { startQemu } from '../../../src/host/qemu.ts';

let dir: string;
let ctx: Context;
const abort = new AbortController();

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ingot-boot-'));
  await mkdir(join(dir, 'leases'));
  await mkdir(join(dir, 'work'));
  ctx = {
    signal: abort.signal,
    emit: () => {},
    step: 'test.boot',
    host: createHost({ leaseDir: join(dir, 'leases') }),
    clock: systemClock,
    secrets: { resolve: () => Promise.reject(new Error('no secrets here')) },
    workDir: join(dir, 'work'),
    cacheDir: join(dir, 'work'),
    epoch: 0,
    templateDir: dir,
  };
});
afterEach(() => rm(dir, { recursive: true }));

const OPTIONS = {
  firmware: ['bios'],
  seed: 'without',
  timeout: 60_000,
  memory: 256 * 1024 * 1024,
  cpus: 1,
  disk_bus: 'virtio',
  accelerator: 'auto',
  allow_failed: [],
  expect_growth: true,
  parallel: undefined,
  clones: false,
};

/** A GPT disk whose one partition is an ext4 that looks like a system but cannot boot. */
async function deadDisk(name: string): Promise<string> {
  const path = join(dir, name);
  const units = join(dir, 'root/usr/lib/systemd/system');
  await mkdir(units, { recursive: true });
  await writeFile(join(units, 'basic.target'), '');
  await writeFile(path, '');
  await truncate(path, 64 * 1024 * 1024);
  const script = 'label: gpt\nstart=1MiB, size=62MiB, type=4f68bce3-e8cd-4db1-96e7-fbcaf984b709\n';
  await ctx.host.run('sfdisk', ['--quiet', path], { input: script });
  await ctx.host.run('mke2fs', [
    '-q',
    '-t',
    'ext4',
    '-d',
    join(dir, 'root'),
    '-E',
    `offset=${1 << 20}`,
    path,
    '62m',
  ]);
  return path;
}

describe('checkBoot', () => {
  it.each([
    ['bios', /neither boot code for a BIOS nor a partition for UEFI/],
    ['uefi', /neither boot code for a BIOS nor a partition for UEFI/],
  ])('says that %s finds nothing to boot, and leaves the image alone', async (firmware, message) => {
    const image = await deadDisk('a,file=b:c d.raw');
    const before = sha256(await readFile(image));
    const result = await checkBoot({ ...OPTIONS, image, firmware: [firmware] }, ctx);
    expect(result.status).toBe('failed');
    expect(result.cases).toMatchObject([
      { firmware, seed: false, status: 'failed', message: expect.stringMatching(message) as string },
    ]);
    expect(sha256(await readFile(image))).toBe(before);
  });

  it('gives the tail of the console when boot code finds no system', async () => {
    const image = await deadDisk('disk.raw');
    const disk = await open(image, 'r+');
    // mov ax,0x0e58; int 0x10; int 0x18: prints X, then tells the BIOS that booting failed.
    await disk.write(Buffer.from([0xb8, 0x58, 0x0e, 0xcd, 0x10, 0xcd, 0x18]), 0, 7, 0);
    await disk.close();
    const result = await checkBoot({ ...OPTIONS, image }, ctx);
    expect(result.cases[0]?.message).toMatch(/firmware found nothing to boot/);
    expect(result.cases[0]?.console.join('\n')).toMatch(/Booting from Hard Disk\.\.\.\n?X/);
  });

  it('reads a qcow2, and skips the seed where there is no cloud-init', async () => {
    const raw = await deadDisk('disk.raw');
    const image = join(dir, 'disk.qcow2');
    await ctx.host.run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, image]);
    const result = await checkBoot({ ...OPTIONS, image, seed: 'with' }, ctx);
    expect(result.status).toBe('skipped');
    expect(result.cases).toMatchObject([{ status: 'skipped', message: 'the image has no cloud-init' }]);
  });

  it('names a filesystem that it cannot add the reporter to', async () => {
    const image = join(dir, 'xfs.raw');
    await writeFile(image, 'XFSB');
    await truncate(image, 1024 * 1024);
    await expect(checkBoot({ ...OPTIONS, image }, ctx)).rejects.toMatchObject({
      code: 'boot/no-root',
      message: expect.stringContaining('xfs') as string,
    });
  });
});

describe('startQemu', () => {
  it('forwards a free port, and ends a guest that does not answer the power button', async () => {
    const disk = { path: await deadDisk('disk.raw'), format: 'raw', readOnly: true } as const;
    await using qemu = await startQemu(
      {
        disk,
        stateDir: ctx.workDir,
        memory: 128 * 1024 * 1024,
        serial: [{ file: 'console.log' }],
        network: 'isolated',
        forwards: [{ guest: 22, host: 0 }],
      },
      ctx,
    );
    expect(qemu.forwards).toEqual([{ guest: 22, host: expect.any(Number) as number }]);
    expect(qemu.forwards[0]?.host).toBeGreaterThan(1023);
    await qemu.execute('system_powerdown');
    await qemu[Symbol.asyncDispose]();
    await qemu.ended;
  });

  it('gives QEMU’s own words when it does not start', async () => {
    const disk = { path: join(dir, 'none.raw'), format: 'raw' } as const;
    await expect(startQemu({ disk, stateDir: ctx.workDir, serial: [] }, ctx)).rejects.toMatchObject({
      code: 'qemu/start-failed',
      message: expect.stringContaining('No such file') as string,
    });
  });
});
