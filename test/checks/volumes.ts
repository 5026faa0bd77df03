import { execFileSync, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';

/** What may hold a root filesystem and is none that is mounted here, made by the program that people make it with. */
interface Volume {
  readonly name: string;
  /** What it is called in a message. */
  readonly found: string;
  readonly tool: string;
  /** Debian's package that has the tool. */
  readonly from: string;
  /** Makes it of a file, which has the size. */
  readonly make: (path: string) => void;
}

export const VOLUMES: readonly Volume[] = [
  luks('LUKS1'),
  luks('LUKS2'),
  { name: 'LVM', found: 'LVM', tool: 'lvm', from: 'lvm2', make: volumeGroup },
  {
    name: 'btrfs',
    found: 'btrfs',
    tool: 'mkfs.btrfs',
    from: 'btrfs-progs',
    make: (path) => execFileSync('mkfs.btrfs', ['-q', path], { stdio: 'pipe' }),
  },
];

/** Why tests that need the tool are skipped, for their name; empty where it is there. */
export function without(tool: string, from: string): string {
  const isThere = spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
  return isThere ? '' : ` (skipped: ${tool} of the package ${from} is not installed)`;
}

/** cryptsetup(8) formats a file without the kernel's help; with the cheapest way to derive a key. */
function luks(name: string): Volume {
  const type = name.toLowerCase();
  const options = ['--batch-mode', '--type', type, '--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
  return {
    name,
    found: 'LUKS',
    tool: 'cryptsetup',
    from: 'cryptsetup-bin',
    make: (path) => execFileSync('cryptsetup', ['luksFormat', ...options, path, '-'], { input: 'password' }),
  };
}

/** A physical volume with its group's metadata; lvm(8) wants a block device, but no device mapper for these. */
function volumeGroup(path: string): void {
  const device = execFileSync('losetup', ['--find', '--show', path], { encoding: 'utf8' }).trim();
  try {
    const config = `devices { filter=["a|^${device}$|","r|.*|"] use_devicesfile=0 obtain_device_list_from_udev=0 }
activation { udev_sync=0 udev_rules=0 } global { locking_dir="${path}.locks" } backup { backup=0 archive=0 }`;
    const env = { ...process.env, LVM_SYSTEM_DIR: dirname(path), LVM_SUPPRESS_FD_WARNINGS: '1' };
    for (const command of [
      ['pvcreate', device],
      ['vgcreate', 'ingot-test', device],
    ])
      execFileSync('lvm', [...command, '--config', config], { env, stdio: 'pipe' });
  } finally {
    execFileSync('losetup', ['--detach', device]);
  }
}
