import type { ReadStream } from 'node:fs';
import { lstat, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';

/** A host file to upload, and its permission bits. Throws `machine/no-such-source`, `machine/special-file`. */
export async function readUpload(source: string): Promise<{ stream: ReadStream; mode: number }> {
  const info = await stat(source).catch((cause: unknown) => {
    throw noSource(source, cause);
  });
  if (!info.isFile()) throw special(source);
  // Opened here: nobody listens to a stream's error before the container is there.
  const file = await open(source).catch((cause: unknown) => {
    throw noSource(source, cause);
  });
  return { stream: file.createReadStream(), mode: info.mode & 0o7777 };
}

/**
 * Packs a host folder into `archive` for a machine: sorted, owned by root, its times those of the lock, since a
 * checkout's times say when it was cloned. Without a trailing slash the folder itself is in it (rsync's rule).
 */
export async function packFolder(
  source: string,
  archive: string,
  exclude: readonly string[],
  ctx: Context,
): Promise<void> {
  await refuseSpecial(source);
  // Without an entry for the folder itself, whose mode only the owner of the destination could take over.
  const [from, what] = source.endsWith('/')
    ? [source, (await readdir(source)).sort().map((name) => `./${name}`)]
    : [dirname(source), [`./${basename(source)}`]];
  await ctx.host.run('tar', [
    '--create',
    `--file=${archive}`,
    '--sort=name',
    '--format=posix',
    '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    `--mtime=@${ctx.epoch}`,
    ...exclude.map((pattern) => `--exclude=${pattern}`),
    `--directory=${from}`,
    ...(what.length === 0 ? ['--files-from=/dev/null'] : ['--', ...what]),
  ]);
}

/** Sockets, pipes and devices have no content to copy. */
async function refuseSpecial(path: string): Promise<void> {
  const info = await lstat(path).catch((cause: unknown) => {
    throw noSource(path, cause);
  });
  if (info.isDirectory())
    for (const name of (await readdir(path)).sort()) await refuseSpecial(join(path, name));
  else if (!info.isFile() && !info.isSymbolicLink()) throw special(path);
}

function noSource(path: string, cause: unknown): IngotError {
  return new IngotError('machine/no-such-source', `${path} cannot be read on this machine`, {
    hint: 'Paths in a template start at the folder of the template.',
    cause,
  });
}

function special(path: string): IngotError {
  return new IngotError('machine/special-file', `${path} is no regular file, folder or link`, {
    hint: 'Sockets, pipes and devices cannot be uploaded.',
  });
}
