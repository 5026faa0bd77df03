import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../core/digest.ts';
import { claimName, isDeadClaim } from '../core/claim.ts';

/**
 * Keeps layers from garbage collection, by this process and any other, until disposed. One file a lease, its name
 * telling whether the process that holds it lives.
 */
export async function leaseLayers(dir: string, ids: readonly Digest[]): Promise<AsyncDisposable> {
  const path = join(dir, await claimName());
  try {
    await writeFile(`${path}.new`, JSON.stringify(ids));
    // Whoever reads it sees all of it.
    await rename(`${path}.new`, path);
  } catch (error) {
    await rm(`${path}.new`, { force: true });
    throw error;
  }
  return {
    async [Symbol.asyncDispose]() {
      await rm(path, { force: true });
    },
  };
}

/** Layers that some living process holds. Leases of killed ones are removed. */
export async function leasedLayers(dir: string): Promise<Set<Digest>> {
  const held = new Set<Digest>();
  for (const name of await namesIn(dir)) {
    const path = join(dir, name);
    if (await isDeadClaim(dir, name.replace(/\.new$/, ''))) {
      await rm(path, { force: true });
      continue;
    }
    if (name.endsWith('.new')) continue;
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '[]'; // given back since we listed
      throw error;
    });
    for (const id of JSON.parse(text) as Digest[]) held.add(id);
  }
  return held;
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
