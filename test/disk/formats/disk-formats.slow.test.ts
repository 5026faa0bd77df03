import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from './context.ts';
import { allocated, DISKS, exportOne, makeDisk, sha256Of } from './disks.ts';
import { OVA } from './options.ts';

const MIB = 1 << 20;
const GIB = 2 ** 30;
const names = Object.keys(DISKS);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/ingot-formats-`);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** qemu-img finds the same bytes in both, and zeros where one is longer. */
async function sameAs(disk: string, driver: string, image: string): Promise<void> {
  await run('qemu-img', ['compare', '-f', 'raw', '-F', driver, disk, image]);
}

async function virtualSize(driver: string, image: string): Promise<number> {
  const info = await run('qemu-img', ['info', '-f', driver, '--output=json', image]);
  return JSON.parse(info.stdout)['virtual-size'];
}

describe.each(names)('disk %s', (name) => {
  test('raw has its bytes and its holes', async () => {
    const disk = makeDisk(`${dir}/disk.raw`, name);
    const file = await exportOne(dir, disk, 'raw');
    expect(file.size).toBe(disk.size);
    expect(file.digest).toBe(sha256Of(disk.path));
    await run('cmp', [disk.path, file.path]);
    expect(allocated(file.path)).toBeLessThanOrEqual(allocated(disk.path) + MIB);
  });

  test('vhd is whole MiB, readable and sparse, its footer as qemu-img writes it', async () => {
    const disk = makeDisk(`${dir}/disk.raw`, name);
    const file = await exportOne(dir, disk, 'vhd');
    const size = Math.ceil(disk.size / MIB) * MIB;
    expect(file).toMatchObject({ size: size + 512, virtualSize: size, digest: sha256Of(file.path) });
    expect(await virtualSize('vpc', file.path)).toBe(size);
    await sameAs(disk.path, 'vpc', file.path);
    expect(allocated(file.path)).toBeLessThan(allocated(disk.path) + MIB);

    await run('qemu-img', [
      'create',
      '-q',
      '-f',
      'vpc',
      '-o',
      'subformat=fixed,force_size=on',
      `${dir}/q.vhd`,
      `${size}`,
    ]);
    // All but time, checksum and UUID, which follow from epoch and seed in ours.
    const fixed = (path: string) => {
      const footer = readFileSync(path).subarray(-512);
      return [footer.subarray(0, 24), footer.subarray(28, 64), footer.subarray(84)].map((b) =>
        b.toString('hex'),
      );
    };
    expect(fixed(file.path)).toEqual(fixed(`${dir}/q.vhd`));
  });

  test('vhdx is sound and readable', async () => {
    const disk = makeDisk(`${dir}/disk.raw`, name);
    const file = await exportOne(dir, disk, 'vhdx');
    expect(file.size % MIB).toBe(0);
    expect(await virtualSize('vhdx', file.path)).toBe(Math.ceil(disk.size / 512) * 512);
    await run('qemu-img', ['check', '-q', '-f', 'vhdx', file.path]);
    await sameAs(disk.path, 'vhdx', file.path);
    expect(allocated(file.path)).toBeLessThan(allocated(disk.path) + 2 * MIB);
  });

  test('vmdk is sound and readable', async () => {
    const disk = makeDisk(`${dir}/disk.raw`, name);
    const file = await exportOne(dir, disk, 'vmdk', { adapter: 'pvscsi' });
    expect(await virtualSize('vmdk', file.path)).toBe(file.virtualSize);
    await run('qemu-img', ['check', '-q', '-f', 'vmdk', file.path]);
    await sameAs(disk.path, 'vmdk', file.path);
    expect(readFileSync(file.path).subarray(512, 2048).toString('latin1')).toContain(
      'ddb.adapterType = "pvscsi"',
    );
  });

  test('gce unpacks to whole GiB with the same bytes and holes', async () => {
    const disk = makeDisk(`${dir}/disk.raw`, name);
    const file = await exportOne(dir, disk, 'gce');
    const size = Math.ceil(disk.size / GIB) * GIB;
    await run('gzip', ['-t', file.path]);
    const list = await run('tar', ['-tvzf', file.path]);
    expect(list.stdout.trim()).toMatch(new RegExp(`^-rw-r--r-- root/root +${size} \\S+ \\S+ disk\\.raw$`));
    expect(list.stderr).toBe('');
    mkdirSync(`${dir}/x`);
    await run('tar', ['-xzf', file.path, '-C', `${dir}/x`]);
    await run('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', disk.path, `${dir}/x/disk.raw`]);
    expect(allocated(`${dir}/x/disk.raw`)).toBeLessThan(allocated(disk.path) + MIB);
    const header = (await run('sh', ['-c', `zcat ${file.path} | head -c 265 | tail -c 8 | od -An -tx1`]))
      .stdout;
    expect(header.trim()).toBe('75 73 74 61 72 20 20 00');
  });

  test('ova holds descriptor, disk and a manifest that fits', async () => {
    const disk = makeDisk(`${dir}/disk.raw`, name);
    const file = await exportOne(dir, disk, 'ova', OVA);
    mkdirSync(`${dir}/x`);
    const list = await run('tar', ['-xvf', file.path, '-C', `${dir}/x`]);
    expect(list.stdout.trim().split('\n')).toEqual(['web.ovf', 'web-disk1.vmdk', 'web.mf']);
    await run('xmllint', ['--noout', '--nonet', `${dir}/x/web.ovf`]);
    await sameAs(disk.path, 'vmdk', `${dir}/x/web-disk1.vmdk`);
    const sum = (part: string) =>
      createHash('sha256')
        .update(readFileSync(`${dir}/x/${part}`))
        .digest('hex');
    expect(readFileSync(`${dir}/x/web.mf`, 'utf8')).toBe(
      `SHA256(web.ovf)= ${sum('web.ovf')}\nSHA256(web-disk1.vmdk)= ${sum('web-disk1.vmdk')}\n`,
    );
    const at = async (xpath: string) =>
      (await run('xmllint', ['--xpath', `string(${xpath})`, `${dir}/x/web.ovf`])).stdout.trim();
    expect(await at("//*[local-name()='File']/@*[local-name()='size']")).toBe(
      String(readFileSync(`${dir}/x/web-disk1.vmdk`).length),
    );
    expect(await at("//*[local-name()='Disk']/@*[local-name()='capacity']")).toBe(String(file.virtualSize));
  });
});
