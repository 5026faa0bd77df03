import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { claimName, isDeadClaim } from './claim.ts';

const END = '.part';

/**
 * Makes a file by `fill`, which writes to the path that it is given, beside `path`: whoever reads `path` sees all of it, or
 * what was there before. Makes the folder. Builds of one process and of several may write the same file at once: the last
 * one's stays. What a killed process was writing goes.
 */
export async function replaceFileBy(path: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await dropAbandoned(path);
  const temporary = join(dirname(path), `${beginOf(path)}${await claimName()}${END}`);
  try {
    await fill(temporary);
    await rename(temporary, path);
  } finally {
    // It is still there, too, where both are names of one file: rename(2) then does nothing.
    await rm(temporary, { force: true });
  }
}

/** A name has 255 bytes at most, and the claim takes some. */
function beginOf(path: string): string {
  return `${basename(path).slice(0, 40)}.`;
}

async function dropAbandoned(path: string): Promise<void> {
  const folder = dirname(path);
  const begin = beginOf(path);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(begin) || !name.endsWith(END)) continue;
    const claim = name.slice(begin.length, -END.length);
    if (await isDeadClaim(folder, name, claim)) await rm(join(folder, name), { force: true });
  }
}

/** The same with its content at hand. `sync`: after a power failure, too, it is all there or as before. */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  { mode = 0o666, sync = false }: { readonly mode?: number; readonly sync?: boolean } = {},
): Promise<void> {
  await replaceFileBy(path, async (temporary) => {
    await using file = await open(temporary, 'wx', mode);
    await file.writeFile(content);
    if (sync) await file.sync();
  });
}
