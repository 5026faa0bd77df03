import { createHash } from 'node:crypto';
import { existsSync, type Stats } from 'node:fs';
import { copyFile, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Context } from '../core/context.ts';
import { type Digest, hexOf, sha256 } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import type { ExecResult } from '../core/machine.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { grubConfig } from './grub.ts';
import { identities } from './layout.ts';
import type { DiskOptions } from './spec.ts';

type Exec = (argv: readonly string[], onLine?: (line: string) => void) => Promise<ExecResult>;

/** Left by the mmdebstrap source, so that no initramfs is made before the last provisioner has run. */
const DIVERTED = '/usr/sbin/update-initramfs.distrib';

/** What the initramfs is made of, besides the packages: folders and files whose content enters its cache key. */
const INITRAMFS_INPUTS = [
  '/etc/initramfs-tools',
  '/usr/share/initramfs-tools',
  '/etc/modprobe.d',
  '/etc/modules',
  '/etc/modules-load.d',
  '/etc/udev',
  '/etc/crypttab',
  '/etc/default/keyboard',
  '/etc/default/console-setup',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
];

/**
 * Makes a filesystem bootable: fstab, GRUB's menu, growth of the root on first boot, and the initramfs, which is
 * made here once, after everything that could change it, and kept by its inputs.
 */
export async function bootConfig(
  root: Rootfs,
  o: { readonly disk: DiskOptions; readonly seed: Digest },
  exec: Exec,
  ctx: Context,
): Promise<{ readonly summary: string; readonly kernels: string[] }> {
  const { rootUuid, espId } = identities(o.seed);
  await undivert(root, exec);
  writeFstab(root, rootUuid, o.disk.firmware.includes('uefi') ? espId : undefined);
  writeGrowth(root);
  const kernels = kernelsOf(root);
  const kernelOptions = [...ofKernels(kernels), ...o.disk.kernel_options];
  root.mkdir('/boot/grub');
  root.write('/boot/grub/grub.cfg', grubConfig({ rootUuid, kernelOptions, timeout: o.disk.timeout }));
  const made: string[] = [];
  for (const kernel of kernels) if (!(await makeInitramfs(root, kernel, exec, ctx))) made.push(kernel);
  linkKernel(root, kernels);
  return {
    summary: `kernel ${kernels.at(-1)}${made.length === 0 ? ', initramfs from the cache' : ''}`,
    kernels,
  };
}

/**
 * A kernel for virtual machines counts no ticks as it starts: it panics ("IO-APIC + timer doesn't work!") where a busy host keeps
 * them back. On KVM, Hyper-V and VMware Linux leaves that out itself, on other hypervisors by this.
 */
function ofKernels(kernels: readonly string[]): string[] {
  return kernels.every((kernel) => kernel.includes('-cloud-')) ? ['no_timer_check'] : [];
}

/** Puts the real update-initramfs back. */
async function undivert(root: Rootfs, exec: Exec): Promise<void> {
  if (!root.lstat(DIVERTED)) return;
  root.remove('/usr/sbin/update-initramfs');
  await must(exec, [
    'dpkg-divert',
    '--local',
    '--quiet',
    '--rename',
    '--remove',
    '/usr/sbin/update-initramfs',
  ]);
  root.remove('/var/lib/ingot');
}

function writeFstab(root: Rootfs, rootUuid: string, espId: string | undefined): void {
  const marker = '# Written by Ingot.';
  const old = root.exists('/etc/fstab') ? root.readText('/etc/fstab') : '';
  const others = old
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# UNCONFIGURED') && !line.startsWith(marker))
    .filter((line) => !['/', '/boot/efi'].includes(line.trim().split(/\s+/)[1] ?? ''));
  const lines = [marker, `UUID=${rootUuid} / ext4 defaults,errors=remount-ro,x-systemd.growfs 0 1`];
  if (espId !== undefined) {
    root.mkdir('/boot/efi');
    lines.push(`UUID=${espId.slice(0, 4)}-${espId.slice(4)} /boot/efi vfat umask=0077,noauto 0 2`);
  }
  root.write('/etc/fstab', `${[...lines, ...others].join('\n')}\n`);
}

/** systemd-repart enlarges the last partition on boot, x-systemd.growfs the filesystem (repart.d(5)). */
function writeGrowth(root: Rootfs): void {
  if (!root.exists('/usr/bin/systemd-repart') && !root.exists('/bin/systemd-repart')) return;
  root.mkdir('/usr/lib/repart.d');
  root.write('/usr/lib/repart.d/50-root.conf', '[Partition]\nType=root\n');
}

/** Versions of the kernels in /boot, oldest first. */
function kernelsOf(root: Rootfs): string[] {
  const versions = root
    .glob('/boot/vmlinuz-*')
    .map((path) => path.slice('/boot/vmlinuz-'.length))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (versions.length === 0) {
    throw new IngotError('disk/no-kernel', 'the image has no kernel in /boot, and a disk needs one to boot', {
      hint: 'Set `kernel` in the source, or install linux-image-cloud-amd64 (or linux-image-amd64). For a container image use output "oci" or "rootfs".',
    });
  }
  return versions;
}

/** Answers whether the cache had it. */
async function makeInitramfs(root: Rootfs, kernel: string, exec: Exec, ctx: Context): Promise<boolean> {
  const target = `/boot/initrd.img-${kernel}`;
  if (!root.exists('/usr/sbin/mkinitramfs')) {
    throw new IngotError(
      'disk/no-initramfs-tools',
      `the image has the kernel ${kernel} and no initramfs-tools to make its initramfs`,
      {
        hint: 'Add the package initramfs-tools.',
      },
    );
  }
  root.mkdir('/etc/initramfs-tools/conf.d');
  // MODULES=most: boots wherever its kernel can, not only on the machine that made it.
  root.write('/etc/initramfs-tools/conf.d/ingot', 'MODULES=most\n');
  const kept = join(ctx.cacheDir, 'initramfs', hexOf(initramfsKey(root, kernel, ctx.epoch)));
  if (existsSync(kept)) {
    await copyFile(kept, root.hostPath(target));
    root.chmod(target, 0o644);
    return true;
  }
  await must(exec, ['mkinitramfs', '-o', target, kernel]);
  root.chmod(target, 0o644);
  await keep(root.hostPath(target), kept, ctx);
  return false;
}

async function keep(source: string, kept: string, ctx: Pick<Context, 'host' | 'workDir'>): Promise<void> {
  await mkdir(dirname(kept), { recursive: true });
  await using scratch = await ctx.host.scratch(ctx.workDir, 'initramfs-');
  const copy = join(scratch.dir, 'initramfs');
  await copyFile(source, copy);
  await rename(copy, kept);
}

/** Digest of everything that goes into an initramfs: installed packages, the kernel, and what configures it. */
function initramfsKey(root: Rootfs, kernel: string, epoch: number): Digest {
  const hash = createHash('sha256');
  const add = (...parts: string[]): void => void hash.update(`${parts.join('\0')}\0`);
  add('initramfs 2', kernel, String(epoch));
  add(sha256(root.exists('/var/lib/dpkg/status') ? root.readBytes('/var/lib/dpkg/status') : ''));
  // Its hooks look at the types of filesystems. The UUIDs change with every edit of the template.
  add(root.exists('/etc/fstab') ? root.readText('/etc/fstab').replace(/UUID=\S+/g, 'UUID') : '');
  const addTree = (top: string, isPackaged: (stat: Stats) => boolean): void => {
    for (const { path, stat } of root.walk(top)) {
      add(path, String(stat.mode));
      if (stat.isSymbolicLink()) add(root.readLink(path));
      else if (stat.isFile() && isPackaged(stat)) add(`${stat.size} ${stat.mtimeMs}`);
      else if (stat.isFile()) add(sha256(root.readBytes(path, 1024 ** 3)));
    }
  };
  for (const top of [...INITRAMFS_INPUTS, `/boot/vmlinuz-${kernel}`]) addTree(top, () => false);
  // Hundreds of megabytes, which the packages' versions stand for. What a provisioner wrote has the epoch's date.
  for (const top of [`/lib/modules/${kernel}`, '/lib/firmware'])
    addTree(top, (stat) => stat.mtimeMs < epoch * 1000);
  return `sha256:${hash.digest('hex')}`;
}

/** /vmlinuz and /initrd.img, as linux-update-symlinks keeps them; made here for kernels whose package does not. */
function linkKernel(root: Rootfs, kernels: readonly string[]): void {
  const newest = kernels.at(-1) as string;
  for (const [link, target] of [
    ['/vmlinuz', `boot/vmlinuz-${newest}`],
    ['/initrd.img', `boot/initrd.img-${newest}`],
  ] as const) {
    if (!root.lstat(link)) root.symlink(link, target);
  }
}

async function must(exec: Exec, argv: readonly string[]): Promise<void> {
  const result = await exec(argv);
  if (result.exitCode === 0) return;
  throw new IngotError(
    'disk/command-failed',
    `${argv[0]} ended with exit code ${result.exitCode} in the image`,
    {
      output: `${result.stdout}\n${result.stderr}`.split('\n').filter(Boolean).slice(-15),
    },
  );
}
