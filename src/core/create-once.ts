import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Answers what a file holds that is made once, by whoever comes first, and then kept: a key, readable by its owner alone.
 * No process ever sees a part of it, nor does a full disk leave one.
 */
export function createOnce(path: string, make: () => string | Uint8Array): Buffer {
  const there = contentOf(path);
  if (there) return there;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    writeFileSync(temporary, make(), { mode: 0o600, flag: 'wx' });
    // Unlike rename(2), link(2) leaves what another process has made meanwhile.
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  return readFileSync(path);
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
