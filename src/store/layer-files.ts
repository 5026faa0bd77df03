import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Size in bytes and time of change (milliseconds since 1970) of each file in a layer's `files/`. */
export type Written = Readonly<Record<string, readonly [size: number, mtimeMs: number]>>;

/** Notes what a layer's files are now. */
export async function filesOf(dir: string): Promise<Written> {
  const written: Record<string, [number, number]> = {};
  for (const name of (await readdir(join(dir, 'files'))).sort()) {
    const { size, mtimeMs } = await stat(join(dir, 'files', name));
    written[name] = [size, mtimeMs];
  }
  return written;
}

/**
 * Whether nobody has written into the files since. Outputs lie at the user's place under a second name: a machine
 * started on one would change the cached file with it.
 */
export async function isUntouched(dir: string, written: Written): Promise<boolean> {
  for (const [name, [size, mtimeMs]] of Object.entries(written)) {
    const now = await stat(join(dir, 'files', name)).catch(() => undefined);
    if (now?.size !== size || now.mtimeMs !== mtimeMs) return false;
  }
  return true;
}
