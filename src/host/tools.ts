import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { IngotError } from '../core/error.ts';

/** Where tools of the system are looked for, whatever PATH the user has. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Debian package of each tool that is not part of every system. */
const PACKAGES: Readonly<Record<string, string>> = {
  apt: 'apt',
  'apt-get': 'apt',
  'dpkg-deb': 'dpkg',
  debugfs: 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  git: 'git',
  gpgv: 'gpgv',
  'grub-mkimage': 'grub-common',
  mcopy: 'mtools',
  mke2fs: 'e2fsprogs',
  mformat: 'mtools',
  'mkfs.vfat': 'dosfstools',
  mmd: 'mtools',
  mmdebstrap: 'mmdebstrap',
  'qemu-img': 'qemu-utils',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-storage-daemon': 'qemu-system-common',
  sfdisk: 'fdisk',
  'systemd-nspawn': 'systemd-container',
  xorriso: 'xorriso',
  zstd: 'zstd',
  xz: 'xz-utils',
  bzip2: 'bzip2',
  lz4: 'lz4',
};

/** Absolute path of a tool. Throws `host/missing-tool` with the command that installs it. */
export function findTool(name: string): string {
  if (name.startsWith('/')) return name;
  for (const folder of SYSTEM_PATH.split(':')) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  throw missingTool(name);
}

export function missingTool(name: string): IngotError {
  const debianPackage = PACKAGES[name];
  return new IngotError('host/missing-tool', `the command ${name} is needed, and it is not installed`, {
    hint:
      debianPackage === undefined
        ? `Install the package that has ${name}; \`ingot doctor\` shows everything that is missing.`
        : `apt-get install ${debianPackage} (\`ingot doctor\` shows everything that is missing).`,
  });
}
