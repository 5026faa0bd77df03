import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { IngotError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';

/** The partition that holds the system. */
export interface RootFilesystem {
  /** First byte in the disk. */
  readonly offset: number;
  /** Blocks times block size, from the superblock. */
  readonly bytes: number;
}

interface Partition {
  readonly start: number;
  readonly size: number;
  readonly type: string;
}

/** Discoverable Partitions Specification: root of x86-64. */
const ROOT_X86_64 = '4f68bce3-e8cd-4db1-96e7-fbcaf984b709';

/** Filesystems that we name but do not write to: magic bytes at an offset of the partition. */
const OTHERS: readonly { name: string; offset: number; magic: string }[] = [
  { name: 'xfs', offset: 0, magic: 'XFSB' },
  { name: 'btrfs', offset: 0x10040, magic: '_BHRfS_M' },
  { name: 'LUKS', offset: 0, magic: 'LUKS' },
  { name: 'LVM', offset: 0x218, magic: 'LVM2' },
  { name: 'squashfs', offset: 0, magic: 'hsqs' },
];

/**
 * Finds the ext filesystem with systemd in a raw disk: a root partition by its GPT type, else the largest one;
 * a disk without partitions is looked at whole. Throws `boot/no-root` when there is none that we can write to.
 */
export async function findRootFilesystem(host: Host, dir: string, disk: string): Promise<RootFilesystem> {
  const partitions = await listPartitions(host, join(dir, disk));
  const seen: string[] = [];
  for (const partition of partitions) {
    const found = await probe(join(dir, disk), partition.start);
    if (typeof found === 'string') {
      seen.push(found);
    } else if (found && (await hasSystemd(host, dir, disk, partition.start))) {
      return { offset: partition.start, bytes: found.bytes };
    }
  }
  const what = seen.length > 0 ? `; it has ${[...new Set(seen)].join(', ')}` : '';
  throw new IngotError(
    'boot/no-root',
    `no ext2, ext3 or ext4 filesystem with systemd was found in the disk${what}`,
    {
      hint: 'The boot check adds its reporter to an ext4 root. For other systems leave out test "boot".',
    },
  );
}

async function listPartitions(host: Host, path: string): Promise<Partition[]> {
  const result = await host.run('sfdisk', ['--json', path], { okCodes: 'any' });
  // sfdisk fails where there is no partition table.
  if (result.exitCode !== 0) return [{ start: 0, size: 0, type: '' }];
  const { partitiontable: table } = JSON.parse(result.stdout) as {
    partitiontable: { sectorsize?: number; partitions?: { start: number; size: number; type: string }[] };
  };
  const sector = table.sectorsize ?? 512;
  return (table.partitions ?? [])
    .map((p) => ({ start: p.start * sector, size: p.size * sector, type: p.type.toLowerCase() }))
    .sort((a, b) => Number(b.type === ROOT_X86_64) - Number(a.type === ROOT_X86_64) || b.size - a.size);
}

/** An ext superblock's size (kernel docs, filesystems/ext4/super.rst), or the name of another filesystem. */
async function probe(path: string, start: number): Promise<{ bytes: number } | string | undefined> {
  const file = await open(path, 'r');
  try {
    const superblock = Buffer.alloc(1024);
    await file.read(superblock, 0, 1024, start + 1024);
    if (superblock.readUInt16LE(0x38) === 0xef53) {
      const blockSize = 1024 * 2 ** superblock.readUInt32LE(0x18);
      return { bytes: superblock.readUInt32LE(4) * blockSize };
    }
    for (const other of OTHERS) {
      const magic = Buffer.alloc(other.magic.length);
      await file.read(magic, 0, magic.length, start + other.offset);
      if (magic.toString('latin1') === other.magic) return other.name;
    }
    return undefined;
  } finally {
    await file.close();
  }
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
