import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { IngotError } from '../../core/error.ts';
import type { Rootfs } from '../../core/rootfs.ts';

/**
 * Copies a regular file of a machine's root to the host. The root may be in use: a process inside could put a link
 * in the path's way, so what was opened is asked where it lies. Throws `machine/no-such-file`.
 */
export async function copyOut(root: Rootfs, source: string, destination: string): Promise<void> {
  await using file = await openInside(root, source);
  const { mode } = await file.stat();
  await using target = await open(destination, 'w', mode & 0o777);
  await pipeline(file.createReadStream({ autoClose: false }), target.createWriteStream());
}

async function openInside(root: Rootfs, path: string): Promise<FileHandle> {
  if (!root.lstat(path)?.isFile()) throw noFile(path);
  const file = await open(
    root.hostPath(path),
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  );
  const lies = await readlink(`/proc/self/fd/${file.fd}`);
  const inside = lies.startsWith(`${await realpath(root.dir)}/`);
  if (inside && (await file.stat()).isFile()) return file;
  await file.close();
  throw noFile(path);
}

function noFile(path: string): IngotError {
  return new IngotError('machine/no-such-file', `${path} is no file of the machine`, {
    hint: 'Give the path of a regular file; links are not followed.',
  });
}
