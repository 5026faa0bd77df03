import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { quoteWord } from '../../core/shell-words.ts';
import { buildKey } from './build-key.ts';
import type { VmOptions } from './options.ts';

/** The command that logs in to a machine of ours at a loopback port; its key, where we have one, is put into `dir`. */
export async function wayIn(
  o: Pick<VmOptions, 'ssh' | 'seedUser'>,
  port: number,
  dir: string,
  ctx: Pick<Context, 'cacheDir'>,
): Promise<string | undefined> {
  if (o.ssh === 'none') return undefined;
  const given = o.ssh.privateKeys?.[0];
  const key = given ?? (o.seedUser === undefined ? undefined : buildKey(ctx.cacheDir).privateKey);
  const file = join(dir, 'key');
  if (key !== undefined) await writeFile(file, key, { mode: 0o600 });
  const identity = key === undefined ? '' : `-i ${quoteWord(file)} `;
  // Its host key is made anew with every image.
  const unknown = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null';
  return `ssh ${identity}-p ${port} ${unknown} ${o.ssh.username}@127.0.0.1`;
}
