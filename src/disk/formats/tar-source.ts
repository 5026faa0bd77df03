import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Context } from '../../core/context.ts';

/**
 * A folder as a PAX archive, made by GNU tar: names sorted, owners as numbers, extended attributes (which node cannot
 * read) as SCHILY.xattr records, no time later than `epoch`. `names`: what of `dir` to take, `.` for all of it.
 * tar is stopped when the reader stops early or the context's signal fires.
 */
export async function* tarOf(
  dir: string,
  names: readonly string[],
  epoch: number,
  ctx: Pick<Context, 'host' | 'signal' | 'workDir'>,
): AsyncGenerator<Buffer> {
  await using scratch = await ctx.host.scratch(ctx.workDir, 'tar-');
  const fifo = `${scratch.dir}/archive`;
  await ctx.host.run('mkfifo', ['-m', '600', fifo]);
  // Not blocking, for tar may fail before it opens the other end.
  const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  const stop = new AbortController();
  const ended = ctx.host.run('tar', tarArguments(dir, fifo, epoch), {
    input: names.map((name) => `${name}\0`).join(''),
    signal: AbortSignal.any([ctx.signal, stop.signal]),
  });
  ended.catch((error: Error) => socket.destroy(error));
  try {
    for await (const chunk of socket) yield chunk as Buffer;
    await ended;
  } finally {
    stop.abort();
    socket.destroy();
    await ended.catch(() => {});
  }
}

function tarArguments(dir: string, archive: string, epoch: number): string[] {
  return [
    '--create',
    '--format=posix',
    // Records as large as a pipe takes: fewer ways between two processes (tar's own: 10 KiB).
    '--blocking-factor=128',
    '--sort=name',
    '--numeric-owner',
    '--xattrs',
    '--xattrs-include=*',
    '--one-file-system',
    `--mtime=@${epoch}`,
    '--clamp-mtime',
    // Names of extended headers hold tar's process id unless told otherwise; times to the second are enough.
    '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime,delete=mtime',
    '--warning=no-file-ignored',
    `--directory=${dir}`,
    `--file=${archive}`,
    '--null',
    '--verbatim-files-from',
    '--files-from=-',
  ];
}
