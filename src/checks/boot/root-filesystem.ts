import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { IngotError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { rootCandidatesOf } from '../../host/find-root.ts';

/** The partition that holds the system. */
export interface RootFilesystem {
  /** First byte in the disk. */
  readonly offset: number;
  /** Blocks times block size, from the superblock. */
  readonly bytes: number;
}

/**
 * Finds the ext filesystem with systemd in a raw disk: a root partition by its GPT type, else the largest one;
 * a disk without partitions is looked at whole. Throws `boot/no-root` when there is none that we can write to.
 */
export async function findRootFilesystem(host: Host, dir: string, disk: string): Promise<RootFilesystem> {
  const path = join(dir, disk);
  const { candidates, others } = rootCandidatesOf(path);
  const seen = new Set(others);
  for (const { filesystem, offset } of candidates) {
    if (filesystem !== 'ext4') seen.add(filesystem);
    else if (await hasSystemd(host, dir, disk, offset)) return { offset, bytes: await sizeOf(path, offset) };
  }
  const what = seen.size > 0 ? `; it has ${[...seen].sort().join(', ')}` : '';
  throw new IngotError(
    'boot/no-root',
    `no ext2, ext3 or ext4 filesystem with systemd was found in the disk${what}`,
    {
      hint: 'The boot check adds its reporter to an ext4 root. For other systems leave out test "boot".',
    },
  );
}

/** By an ext superblock (kernel docs, filesystems/ext4/super.rst). */
async function sizeOf(path: string, start: number): Promise<number> {
  await using file = await open(path, 'r');
  const superblock = Buffer.alloc(1024);
  await file.read(superblock, 0, 1024, start + 1024);
  return superblock.readUInt32LE(4) * 1024 * 2 ** superblock.readUInt32LE(0x18);
}

function hasSystemd(host: Host, dir: string, disk: string, offset: number): Promise<boolean> {
  return fileExists(host, dir, disk, offset, '/usr/lib/systemd/system/basic.target');
}

/** Whether a seed can have an effect. */
export function hasCloudInit(host: Host, dir: string, disk: string, offset: number): Promise<boolean> {
  return fileExists(host, dir, disk, offset, '/usr/bin/cloud-init');
}

/** Whether `path`, which has no blanks, is in the ext filesystem at `offset` of `<dir>/<disk>`. */
export async function fileExists(
  host: Host,
  dir: string,
  disk: string,
  offset: number,
  path: string,
): Promise<boolean> {
  const { stdout } = await host.run('debugfs', ['-R', `stat ${path}`, at(disk, offset)], { cwd: dir });
  return stdout.includes('Inode:');
}

/** How libext2fs names a filesystem inside a file. */
export function at(disk: string, offset: number): string {
  return `${disk}?offset=${offset}`;
}
