import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '../../src/core/context.ts';
import { sha256 } from '../../src/core/digest.ts';
import { bootConfig } from '../../src/disk/boot-config.ts';
import { driversOf } from '../../src/disk/drivers.ts';
import { readTree } from '../../src/disk/ext4/tree.ts';
import { identities } from '../../src/disk/layout.ts';
import type { DiskOptions } from '../../src/disk/spec.ts';
import { createHost, openRootfs } from '../../src/host/index.ts';

const SEED = sha256('seed');
const KERNEL = '6.1.0-10-cloud-amd64';
const disk: DiskOptions = {
  size: undefined,
  firmware: ['bios', 'uefi'],
  label: 'root',
  kernel_options: ['quiet'],
  timeout: 1,
  partition: [],
};

let dir: string;
let commands: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-boot-'));
  commands = [];
  put('/etc/hostname', 'localhost\n');
  put('/usr/sbin/mkinitramfs');
  put('/usr/bin/systemd-repart');
  put('/var/lib/dpkg/status', 'Package: a\n');
  put(`/boot/vmlinuz-${KERNEL}`, 'kernel');
  put(`/lib/modules/${KERNEL}/kernel/drivers/block/virtio_blk.ko.xz`, 'module');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function put(path: string, text = ''): void {
  mkdirSync(dirname(join(dir, 'root', path)), { recursive: true });
  writeFileSync(join(dir, 'root', path), text);
}

function read(path: string): string {
  return readFileSync(join(dir, 'root', path), 'utf8');
}

async function run(options = disk, seed = SEED): Promise<Awaited<ReturnType<typeof bootConfig>>> {
  const exec = (argv: readonly string[]) => {
    commands.push(argv.join(' '));
    if (argv[0] === 'mkinitramfs') put(argv[2] as string, `initramfs ${commands.length}`);
    return Promise.resolve({
      exitCode: argv[0] === 'mkinitramfs' || argv[0] === 'dpkg-divert' ? 0 : 127,
      stdout: '',
      stderr: '',
    });
  };
  const host = createHost({ leaseDir: join(dir, 'leases') });
  const dirs = { cacheDir: join(dir, 'cache'), workDir: join(dir, 'work') };
  const ctx = { host, ...dirs, epoch: 1_700_000_000 } as unknown as Context;
  return await bootConfig(openRootfs(join(dir, 'root')), { disk: options, seed }, exec, ctx);
}

describe('bootConfig', () => {
  test('the root is found by its UUID, grows, and what the image has in fstab besides stays', async () => {
    put(
      '/etc/fstab',
      '# UNCONFIGURED FSTAB FOR BASE SYSTEM\n/dev/sda1 / ext4 defaults 0 1\ntmpfs /tmp tmpfs size=1G 0 0\n',
    );
    await run();
    const { rootUuid, espId } = identities(SEED);
    expect(read('/etc/fstab').split('\n')).toEqual([
      '# Written by Ingot.',
      `UUID=${rootUuid} / ext4 defaults,errors=remount-ro,x-systemd.growfs 0 1`,
      `UUID=${espId.slice(0, 4)}-${espId.slice(4)} /boot/efi vfat umask=0077,noauto 0 2`,
      'tmpfs /tmp tmpfs size=1G 0 0',
      '',
    ]);
    expect(read('/usr/lib/repart.d/50-root.conf')).toBe('[Partition]\nType=root\n');
    const menu = read('/boot/grub/grub.cfg');
    expect(menu).toContain(`search --no-floppy --fs-uuid --set=root ${rootUuid}`);
    expect(menu).toContain(
      `linux /vmlinuz root=UUID=${rootUuid} ro console=tty0 console=ttyS0,115200 no_timer_check quiet\n`,
    );
    expect(menu).toContain('set timeout=1\n');
  });

  test('twice gives the same files, and one menu entry for fstab lines of our own', async () => {
    await run();
    const once = [read('/etc/fstab'), read('/boot/grub/grub.cfg')];
    await run();
    expect([read('/etc/fstab'), read('/boot/grub/grub.cfg')]).toEqual(once);
  });

  test('a kernel that may run on any machine tests its timer', async () => {
    put('/boot/vmlinuz-6.1.0-10-amd64', 'kernel');
    put('/lib/modules/6.1.0-10-amd64/kernel/drivers/block/virtio_blk.ko.xz', 'module');
    await run();
    expect(read('/boot/grub/grub.cfg')).toContain('console=ttyS0,115200 quiet\n');
  });

  test('without UEFI there is no ESP to mount', async () => {
    await run({ ...disk, firmware: ['bios'] });
    expect(read('/etc/fstab')).not.toContain('/boot/efi');
  });

  test('the newest kernel is linked, by number and not by letters', async () => {
    put('/boot/vmlinuz-6.1.0-9-cloud-amd64');
    expect((await run()).kernels).toEqual(['6.1.0-9-cloud-amd64', KERNEL]);
    expect(readlinkSync(join(dir, 'root/vmlinuz'))).toBe(`boot/vmlinuz-${KERNEL}`);
    expect(readlinkSync(join(dir, 'root/initrd.img'))).toBe(`boot/initrd.img-${KERNEL}`);
  });

  test('the update-initramfs that the source put aside comes back', async () => {
    put('/usr/sbin/update-initramfs', 'stand-in');
    put('/usr/sbin/update-initramfs.distrib', 'real');
    put('/var/lib/ingot/initramfs-requested');
    await run();
    expect(commands[0]).toBe('dpkg-divert --local --quiet --rename --remove /usr/sbin/update-initramfs');
    // dpkg-divert, which does nothing here, moves the real one over it.
    expect(existsSync(join(dir, 'root/usr/sbin/update-initramfs'))).toBe(false);
    expect(existsSync(join(dir, 'root/var/lib/ingot'))).toBe(false);
  });

  test('an initramfs is made once for equal inputs, whatever the UUIDs', async () => {
    expect((await run()).summary).toBe(`kernel ${KERNEL}`);
    const made = read(`/boot/initrd.img-${KERNEL}`);
    expect((await run(disk, sha256('another'))).summary).toBe(`kernel ${KERNEL}, initramfs from the cache`);
    expect(commands.filter((c) => c.startsWith('mkinitramfs'))).toHaveLength(1);
    expect(read(`/boot/initrd.img-${KERNEL}`)).toBe(made);
    expect(readdirSync(join(dir, 'cache/initramfs')).filter((n) => n.endsWith('.part'))).toEqual([]);
  });

  test.each([
    ['a package', '/var/lib/dpkg/status', 'Package: b\n'],
    ['a module of equal size', `/lib/modules/${KERNEL}/kernel/drivers/block/virtio_blk.ko.xz`, 'modulE'],
    ['firmware', '/lib/firmware/a.bin', 'x'],
    ['a hook', '/etc/initramfs-tools/hooks/mine', '#!/bin/sh\n'],
    ['options of modules', '/etc/modprobe.d/a.conf', 'blacklist x\n'],
    ['the kernel', `/boot/vmlinuz-${KERNEL}`, 'kerneL'],
  ])('%s changes: it is made again', async (_, path, text) => {
    await run();
    put(path, text);
    await run();
    expect(commands.filter((c) => c.startsWith('mkinitramfs'))).toHaveLength(2);
  });

  test('no kernel and no initramfs-tools say what to install', async () => {
    rmSync(join(dir, 'root/usr/sbin/mkinitramfs'));
    await expect(run()).rejects.toMatchObject({ code: 'disk/no-initramfs-tools' });
    rmSync(join(dir, 'root/boot'), { recursive: true });
    await expect(run()).rejects.toMatchObject({ code: 'disk/no-kernel' });
  });
});

test('drivers are found as modules of either spelling, and built in', () => {
  put(`/lib/modules/${KERNEL}/kernel/drivers/scsi/vmw-pvscsi.ko`);
  put(`/lib/modules/${KERNEL}/modules.builtin`, 'kernel/drivers/nvme/host/nvme.ko\nkernel/fs/ext4/ext4.ko\n');
  expect(driversOf(readTree([join(dir, 'root')]))).toEqual(['nvme', 'virtio_blk', 'vmw_pvscsi']);
});
