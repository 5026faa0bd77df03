import { constants, open, stat } from 'node:fs/promises';
import { IngotError } from '../core/error.ts';
import type { Context } from '../core/context.ts';
import type { Host } from '../core/host.ts';
import { blockNode, type DiskFormat, type QemuDisk } from './qemu-command.ts';

export interface ImageFacts {
  readonly format: DiskFormat;
  /** Bytes that the guest sees. */
  readonly virtualSize: number;
}

/** What programs that read and write whole disks run in: they take minutes, and end when the build does. */
export type CopyContext = Pick<Context, 'host' | 'signal'>;

const QCOW2_MAGIC = 0x514649fb;
/** Incompatible feature bit 2: the data lie in another file. */
const EXTERNAL_DATA = 4n;

/**
 * Reads an image's header (qcow2: docs/interop/qcow2.txt, "Header"). A qcow2 that leans on other files
 * (backing file, external data file) is refused with `qemu/not-standalone`: such a name can point to any file of
 * the host. What does not start with qcow2's magic is raw.
 */
export async function inspectImage(path: string): Promise<ImageFacts> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new IngotError('qemu/no-image', `cannot open the disk image ${path}: ${(cause as Error).message}`, {
      hint: 'Give the path of a raw or qcow2 disk image.',
      cause,
    });
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile() && !stat.isBlockDevice()) {
      const what = stat.isDirectory() ? 'a folder' : 'no file';
      throw new IngotError('qemu/no-image', `${path} is ${what}, expected a disk image`, {
        hint: 'Give the path of a raw or qcow2 disk image.',
      });
    }
    const header = Buffer.alloc(104);
    const { bytesRead } = await file.read(header, 0, header.length, 0);
    if (bytesRead < 4 || header.readUInt32BE(0) !== QCOW2_MAGIC)
      return { format: 'raw', virtualSize: stat.size };
    if (bytesRead < 72) throw damagedImage(path, 'it ends within its header');
    const version = header.readUInt32BE(4);
    const features = version >= 3 ? header.readBigUInt64BE(72) : 0n;
    if (header.readBigUInt64BE(8) !== 0n) throw notStandalone(path, 'a backing file');
    if ((features & EXTERNAL_DATA) !== 0n) throw notStandalone(path, 'an external data file');
    return { format: 'qcow2', virtualSize: Number(header.readBigUInt64BE(24)) };
  } finally {
    await file.close();
  }
}

/** Bytes that the guest sees of a qcow2 which may lie above others (its header alone says so). */
export async function imageSize(path: string): Promise<number> {
  await using file = await open(path, 'r');
  const header = Buffer.alloc(32);
  await file.read(header, 0, header.length, 0);
  return Number(header.readBigUInt64BE(24));
}

/** Whether a qcow2 has clusters that are compressed. */
export async function isCompressed({ host, signal }: CopyContext, path: string): Promise<boolean> {
  const args = ['check', '--output=json', '-f', 'qcow2', fileName(path)];
  const { stdout } = await host.run('qemu-img', args, { okCodes: [0, 3], signal });
  return ((JSON.parse(stdout) as { 'compressed-clusters'?: number })['compressed-clusters'] ?? 0) > 0;
}

/** `qemu/damaged`. `output`: what a program says of it. */
export function damagedImage(path: string, why: string, output: readonly string[] = []): IngotError {
  return new IngotError('qemu/damaged', `${path} is a qcow2 that is not whole: ${why}`, {
    hint: 'Was it copied or downloaded to its end? Fetch or build it again.',
    output,
  });
}

function notStandalone(path: string, what: string): IngotError {
  return new IngotError('qemu/not-standalone', `${path} is a qcow2 with ${what}; an image must stand alone`, {
    hint: 'Flatten it: qemu-img convert -O qcow2 <image> <flat image>.',
  });
}

/**
 * A new qcow2 at `path` above `base`, which is only ever read. `size` in bytes: at least the base's. The header
 * names no backing file: QEMU learns it from the command line.
 */
export async function createOverlay(
  host: Host,
  path: string,
  base: QemuDisk,
  size: number,
): Promise<QemuDisk> {
  await host.run('qemu-img', ['create', '-q', '-f', 'qcow2', fileName(path), String(size)]);
  return { path, format: 'qcow2', backing: base };
}

/** Writes `image` as a sparse raw file that may be changed, sharing blocks with the image where the filesystem can. */
export async function copyToRaw(
  { host, signal }: CopyContext,
  image: string,
  format: DiskFormat,
  target: string,
): Promise<void> {
  if (format === 'raw') {
    await host.run('cp', ['--reflink=auto', '--sparse=auto', '--', image, target], { signal });
  } else {
    const args = ['convert', '-W', '-f', 'qcow2', '-O', 'raw', fileName(image), fileName(target)];
    await host.run('qemu-img', args, { signal });
  }
}

/** A disk with everything below it as one qcow2 that stands alone. */
export async function toQcow2(ctx: CopyContext, disk: QemuDisk, target: string): Promise<void> {
  await convert(ctx, disk, 'qcow2', target, ['-W']);
}

/** A disk with everything below it as one sparse raw file. */
export async function flatten(ctx: CopyContext, disk: QemuDisk, target: string): Promise<void> {
  await convert(ctx, disk, 'raw', target, ['-W']);
}

/** A disk with everything below it as one file, whose clusters are in the order of the disk: equal disks, equal bytes. */
export async function writeImage(
  ctx: CopyContext,
  disk: QemuDisk,
  format: DiskFormat,
  target: string,
): Promise<void> {
  await convert(ctx, disk, format, target, []);
}

async function convert(
  { host, signal }: CopyContext,
  disk: QemuDisk,
  format: DiskFormat,
  target: string,
  options: readonly string[],
): Promise<void> {
  const source = `json:${JSON.stringify(blockNode({ ...disk, readOnly: true }))}`;
  const cache = (await takesDirect(target)) ? ['-t', 'none'] : [];
  const args = ['convert', ...options, ...cache, '-O', format, source, fileName(target)];
  await host.run('qemu-img', args, { signal });
}

/**
 * Makes an empty file, and answers whether it can be written past the page cache. A disk is as large as memory that
 * nobody has touched for a while, and touching that takes longer than the disk below takes to write.
 */
async function takesDirect(path: string): Promise<boolean> {
  const flags = constants.O_WRONLY | constants.O_CREAT;
  try {
    await (await open(path, flags | constants.O_DIRECT, 0o644)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
    return false;
  }
}

/** What must not change while an image is booted: inode, size and time of the last write in nanoseconds. */
export async function imageFingerprint(path: string): Promise<string> {
  const s = await stat(path, { bigint: true });
  // Not ctime: a new hard link to the image, made beside us, changes nothing in it.
  return [s.dev, s.ino, s.size, s.mtimeNs].join(':');
}

/** qemu-img reads "nbd:…" or "json:…" as protocols and "-x" as an option; `file:` makes a name a name. */
export function fileName(path: string): string {
  return `file:${path}`;
}
