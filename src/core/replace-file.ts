import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a file by `fill`, which writes to the path that it is given, beside `path`: whoever reads `path` sees all of it, or
 * what was there before. Makes the folder. Builds of one process and of several may write the same file at once: the last
 * one's stays.
 */
export async function replaceFileBy(path: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    await fill(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
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
