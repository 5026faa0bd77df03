import { rm } from 'node:fs/promises';
import { runAlone } from './mount.ts';

/**
 * Removes a folder of ours with all that is in it. What runs in an image may leave folders in each other that are longer
 * together than a path may be (configure scripts do, to try getcwd(3)); rm(1) goes down step by step.
 */
export async function removeFolder(path: string): Promise<void> {
  try {
    // What was ended a moment ago may still be on its way out, and write.
    await rm(path, { recursive: true, force: true, maxRetries: 6, retryDelay: 100 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENAMETOOLONG') throw error;
    await runAlone('rm', ['--recursive', '--force', '--one-file-system', '--', path]);
  }
}
