import { lchownSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Rootfs } from '../../../core/rootfs.ts';

/** Where the throwaway view keeps what a mutation took away. */
const ASIDE = '/.ingot-mutated';

/**
 * Changes of a throwaway view of an image, each taken back to the bit but for times. What is removed is moved aside in the
 * same filesystem, so that a mutation costs no mount and no copy, however large the file.
 */
export class ImageChanges implements Disposable {
  readonly #root: Rootfs;
  readonly #undo: (() => void)[] = [];

  constructor(root: Rootfs) {
    this.#root = root;
  }

  /** Takes away a file, a link or a whole folder. */
  remove(path: string): void {
    const from = this.#root.hostPath(path);
    const aside = join(this.#root.dir, ASIDE);
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    const to = join(aside, String(this.#undo.length));
    renameSync(from, to);
    this.#undo.push(() => renameSync(to, from));
  }

  /** Writes a file anew, with the mode and the owner that it has. */
  rewrite(path: string, data: string): void {
    const stat = this.#root.lstat(path);
    this.remove(path);
    this.add(path, data);
    if (!stat) return;
    lchownSync(this.#root.hostPath(path), stat.uid, stat.gid);
    this.#root.chmod(path, stat.mode & 0o7777);
  }

  /** Makes a file, and the folders above it, where nothing is. */
  add(path: string, data: string): void {
    this.#parents(path);
    this.#undo.push(() => rmSync(this.#root.hostPath(path)));
    this.#root.write(path, data);
  }

  link(path: string, target: string): void {
    if (this.#root.lstat(path)) this.remove(path);
    this.#parents(path);
    this.#undo.push(() => rmSync(this.#root.hostPath(path)));
    this.#root.symlink(path, target);
  }

  chmod(path: string, mode: number): void {
    const before = (this.#root.lstat(path)?.mode ?? 0) & 0o7777;
    this.#undo.push(() => this.#root.chmod(path, before));
    this.#root.chmod(path, mode);
  }

  chown(path: string, uid: number, gid: number): void {
    const stat = this.#root.lstat(path);
    const host = this.#root.hostPath(path);
    if (!stat) return;
    this.#undo.push(() => {
      lchownSync(host, stat.uid, stat.gid);
      // The kernel takes set-id bits away with the owner.
      if (!stat.isSymbolicLink()) this.#root.chmod(path, stat.mode & 0o7777);
    });
    lchownSync(host, uid, gid);
  }

  /** Takes everything back, the last first. */
  [Symbol.dispose](): void {
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) undo();
    rmSync(join(this.#root.dir, ASIDE), { recursive: true, force: true });
  }

  #parents(path: string): void {
    const missing: string[] = [];
    for (let at = posix.dirname(path); !this.#root.exists(at); at = posix.dirname(at)) missing.push(at);
    const [lowest] = missing;
    const top = missing.at(-1);
    if (lowest === undefined || top === undefined) return;
    const host = this.#root.hostPath(top);
    this.#undo.push(() => rmSync(host, { recursive: true }));
    this.#root.mkdir(lowest);
  }
}
