import { stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../../core/host.ts';

/** What flock(1) answers where somebody else has the lock. */
const TAKEN = 75;

/** Where buildah keeps what it made of instructions: below the cache, so that it is ours to bound. */
export function buildahStorage(cacheDir: string): { readonly dir: string; readonly lock: string } {
  return { dir: join(cacheDir, 'buildah'), lock: join(cacheDir, 'buildah.lock') };
}

/** Says that the storage is used now. */
export async function touchStorage(cacheDir: string): Promise<void> {
  const now = new Date();
  await utimes(buildahStorage(cacheDir).dir, now, now);
}

export interface StorageUse {
  /** Allocated. */
  readonly bytes: number;
  readonly lastUsed: Date;
}

/** What buildah's storage takes; undefined where there is none. */
export async function storageUse(host: Host, cacheDir: string): Promise<StorageUse | undefined> {
  const { dir } = buildahStorage(cacheDir);
  const found = await stat(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return undefined;
  // A build may remove files while they are counted.
  const { stdout } = await host.run('du', ['--summarize', '--block-size=1', '--', dir], { okCodes: 'any' });
  return { bytes: Number.parseInt(stdout, 10) || 0, lastUsed: found.mtime };
}

/** Removes all of it; answers false where a running build uses it. */
export async function removeStorage(host: Host, cacheDir: string): Promise<boolean> {
  const { dir, lock } = buildahStorage(cacheDir);
  const remove = ['rm', '--recursive', '--force', '--one-file-system', '--', dir];
  const args = ['--nonblock', `--conflict-exit-code=${TAKEN}`, lock, ...remove];
  const { exitCode } = await host.run('flock', args, { okCodes: [0, TAKEN] });
  return exitCode === 0;
}
