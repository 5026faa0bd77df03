import { createHash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../../core/digest.ts';
import { claimName, isDeadClaim } from '../../core/claim.ts';

/** What a file must be: 64 hex digits of SHA-256, and bytes. */
export interface Expected {
  readonly sha256: string;
  readonly size: number;
}

/**
 * The package cache: files by their SHA-256 (`<dir>/blobs/ab/abcd…`). A file is written beside its place and
 * renamed in once verified, so what is there is whole, whoever else writes at the same time.
 */
export class BlobCache {
  readonly dir: string;

  /** `dir`: `<cacheDir>/apt`. */
  constructor(dir: string) {
    this.dir = dir;
  }

  path(hex: string): string {
    if (!/^[0-9a-f]{64}$/.test(hex)) throw new TypeError(`not a SHA-256: ${hex}`);
    return join(this.dir, 'blobs', hex.slice(0, 2), hex);
  }

  /** Whether the file is there; a `size` given must match. */
  has(hex: string, size?: number): boolean {
    const path = this.path(hex);
    if (!existsSync(path)) return false;
    return size === undefined || statSync(path).size === size;
  }

  /** A file to write to, on the cache's filesystem. Hand it to `keep`, or remove it. Its name tells whose it is. */
  async partial(): Promise<string> {
    const dir = join(this.dir, 'partial');
    await mkdir(dir, { recursive: true });
    return join(dir, await claimName());
  }

  /** Removes what killed processes were writing; answers the paths. */
  async dropAbandoned(): Promise<string[]> {
    const dir = join(this.dir, 'partial');
    const dropped: string[] = [];
    for (const name of existsSync(dir) ? (await readdir(dir)).sort() : []) {
      if (!(await isDeadClaim(dir, name))) continue;
      await rm(join(dir, name), { force: true });
      dropped.push(join(dir, name));
    }
    return dropped;
  }

  /** Takes over a partial file as blob `hex`. The caller has verified it. */
  async keep(partial: string, hex: string): Promise<string> {
    const path = this.path(hex);
    await mkdir(dirname(path), { recursive: true });
    await rename(partial, path);
    return path;
  }

  /** Stores bytes under their own digest; answers the hex digits. */
  async put(bytes: string | Uint8Array): Promise<string> {
    const hex = sha256(bytes).slice('sha256:'.length);
    if (this.has(hex)) return hex;
    const partial = await this.partial();
    try {
      await writeFile(partial, bytes);
      await this.keep(partial, hex);
    } finally {
      await rm(partial, { force: true });
    }
    return hex;
  }

  /** Whether the file's content still is what its name says; a file that is not is removed. */
  async verify(hex: string): Promise<boolean> {
    if (!this.has(hex)) return false;
    if ((await hashFile(this.path(hex))) === hex) return true;
    await rm(this.path(hex), { force: true });
    return false;
  }
}

/** The package cache below the caches' root. */
export function aptCache(ctx: { readonly cacheDir: string }): BlobCache {
  return new BlobCache(join(ctx.cacheDir, 'apt'));
}

/** SHA-256 of a file, as hex digits. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
