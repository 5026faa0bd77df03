import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

/** A filesystem in memory, of which a test can leave so much and no more. */
export class SmallDisk {
  readonly dir: string;
  readonly #ballast: string;

  constructor(dir: string, size: string) {
    this.dir = dir;
    this.#ballast = join(dir, 'ballast');
    mkdirSync(dir, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0755`, 'test-disk', dir]);
  }

  /** Fills it, but for some mebibytes. */
  leave(mebibytes: number): void {
    this.free();
    const { bavail, bsize } = statfsSync(this.dir);
    execFileSync('fallocate', ['--length', String(bavail * bsize - mebibytes * 2 ** 20), this.#ballast]);
  }

  /** Takes the filling out again. */
  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  [Symbol.dispose](): void {
    execFileSync('umount', [this.dir]);
  }
}
