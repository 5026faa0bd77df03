import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface SecretFileOptions {
  /** Default 0600. */
  readonly mode?: number;
  /** Default: who writes. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Writes a file that holds secrets: readable by its owner alone, and there as a whole or not at all, even when the power
 * fails. What was there is replaced. Until the file has its place, nobody else can read it.
 */
export async function writeSecretFile(
  path: string,
  content: string | Uint8Array,
  { mode = 0o600, owner }: SecretFileOptions = {},
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.part`);
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(content);
    if (owner) await file.chown(owner.uid, owner.gid);
    await file.chmod(mode);
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Makes sure that the names in a folder outlive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
