import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { claimName, isDeadClaim } from '../../core/claim.ts';

/** What a download that broke has left, for the next one. */
const KEPT = 'kept';

/**
 * The file that a download writes to. Builds that fetch the same at once have one each; what a broken or killed one has
 * left is gone on with, by one of them. It lies in a folder of its own, which goes with the last of them.
 */
export class PartialDownload {
  readonly path: string;
  readonly #folder: string;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.path = join(folder, name);
  }

  /** `folder` says what is fetched. */
  static async open(folder: string): Promise<PartialDownload> {
    const partial = new PartialDownload(folder, await claimName());
    while (!(await partial.#begin())) {
      // The folder went with a download that ended.
    }
    return partial;
  }

  async #begin(): Promise<boolean> {
    await mkdir(this.#folder, { recursive: true });
    try {
      for (const name of await readdir(this.#folder)) {
        if (name !== KEPT && !(await isDeadClaim(this.#folder, name))) continue;
        if (await moved(join(this.#folder, name), this.path)) return true;
      }
      await (await open(this.path, 'a')).close();
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  /** It broke: the next one goes on from here. */
  async keep(): Promise<void> {
    await moved(this.path, join(this.#folder, KEPT));
  }

  /** All of it came, and is what it should be. */
  async publish(target: string): Promise<void> {
    await rename(this.path, target);
    await this.#leave();
  }

  async drop(): Promise<void> {
    await rm(this.path, { force: true });
    await this.#leave();
  }

  async #leave(): Promise<void> {
    await rmdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT') throw error;
    });
  }
}

async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
