import { lstatSync, lutimesSync, readlinkSync, rmdirSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Rootfs } from '../../core/rootfs.ts';
import { openRootfs } from '../../host/index.ts';

/** What stood in the lent file's place. */
type Original =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'link'; readonly target: string; readonly stat: Stats }
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly stat: Stats };

interface Loan {
  readonly original: Original;
  /** The upper folder held the path, or its parent, before. */
  readonly inUpper: boolean;
  readonly parentInUpper: boolean;
  /** Times of the parent folder before and right after. */
  readonly parentBefore: Stats;
  readonly parentAfter: Stats;
}

/**
 * A file that commands in a container see as long as they run, and that must not stay in the image, such as the
 * builder's resolv.conf. A real file, and no mount: scripts replace such files, and what they put there stays.
 */
export class LentFile {
  readonly path: string;
  readonly #content: Buffer;
  #loan: Loan | undefined;

  constructor(path: string, content: string | Uint8Array) {
    this.path = path;
    this.#content = Buffer.from(content);
  }

  /**
   * Puts it in its place, unless it is there already. `upper` is the overlay's upper folder; without one everything is
   * put back while the root is mounted.
   */
  lend(root: Rootfs, upper: string | undefined): void {
    if (this.#isOurs(root)) return;
    const parent = dirname(this.path);
    const folder = root.lstat(parent);
    const original = originalOf(root, this.path);
    // An image that has something else there, or no such folder, does without.
    if (!folder?.isDirectory() || !original) return;
    const inUpper = upper === undefined || isThere(join(upper, this.path));
    const parentInUpper = upper === undefined || isThere(join(upper, parent));
    if (original.kind === 'link') root.remove(this.path);
    root.write(this.path, this.#content, { mode: 0o644, uid: 0, gid: 0 });
    const parentAfter = root.lstat(parent) as Stats;
    this.#loan = { original, inUpper, parentInUpper, parentBefore: folder, parentAfter };
  }

  /** Takes it back while the overlay is mounted, where what stood there was written into the upper folder. */
  takeBackMounted(root: Rootfs): void {
    if (!this.#loan) return;
    if (!this.#isOurs(root)) this.#loan = undefined;
    else if (this.#loan.inUpper) {
      putBack(root, this.path, this.#loan.original);
      this.#restoreParent(root.hostPath(dirname(this.path)), this.#loan);
      this.#loan = undefined;
    }
  }

  /** Takes it back from the upper folder of the unmounted overlay: what lies below shows again. */
  takeBackUnmounted(upper: string): void {
    const loan = this.#loan;
    this.#loan = undefined;
    if (!loan) return;
    // A folder on the way may be a link by now, to a place of the image's choice.
    const root = openRootfs(upper);
    const parent = root.hostPath(dirname(this.path));
    const folder = lstatSync(parent);
    root.remove(this.path);
    if (!folder.isDirectory() || folder.mtimeMs !== loan.parentAfter.mtimeMs) return;
    if (loan.parentInUpper) this.#restoreParent(parent, loan);
    else removeIfEmpty(parent);
  }

  #isOurs(root: Rootfs): boolean {
    const stat = root.lstat(this.path);
    return (
      this.#loan !== undefined &&
      stat?.isFile() === true &&
      stat.size === this.#content.length &&
      this.#content.equals(root.readBytes(this.path))
    );
  }

  #restoreParent(parent: string, loan: Loan): void {
    lutimesSync(parent, loan.parentBefore.atime, loan.parentBefore.mtime);
  }
}

function originalOf(root: Rootfs, path: string): Original | undefined {
  const stat = root.lstat(path);
  if (!stat) return { kind: 'nothing' };
  if (stat.isSymbolicLink()) return { kind: 'link', target: readlinkSync(root.hostPath(path)), stat };
  if (stat.isFile()) return { kind: 'file', bytes: root.readBytes(path), stat };
  return undefined;
}

function putBack(root: Rootfs, path: string, original: Original): void {
  root.remove(path);
  if (original.kind === 'nothing') return;
  const { uid, gid, mode, atime, mtime } = original.stat;
  if (original.kind === 'link') root.symlink(path, original.target);
  else root.write(path, original.bytes, { mode: mode & 0o7777, uid, gid });
  lutimesSync(root.hostPath(path), atime, mtime);
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
}
