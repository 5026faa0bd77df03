import { posix } from 'node:path';
import { asIngotError } from '../../../core/error.ts';
import type { Rootfs } from '../../../core/rootfs.ts';
import { FactError } from '../system.ts';

/** As many links as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/** The path that a path leads to when its links are followed inside the image; undefined where nothing is. Throws FactError. */
export function followLinks(root: Rootfs, path: string): string | undefined {
  const at = lastPlace(root, path);
  return root.lstat(at) && at;
}

/** The same, also where nothing is: what a link into a folder that is filled at boot names. Throws FactError. */
export function lastPlace(root: Rootfs, path: string): string {
  try {
    let at = realPath(root, path);
    for (let links = 0; links <= MAX_LINKS; links++) {
      if (!root.lstat(at)?.isSymbolicLink()) return at;
      at = realPath(root, posix.resolve(posix.dirname(at), root.readLink(at)));
    }
  } catch (error) {
    if (asIngotError(error).code !== 'host/link-loop') throw error;
  }
  throw new FactError(`open ${path}: too many levels of symbolic links`);
}

/** The path with the links of its folders followed inside the image, from where a relative link leads on. */
export function realPath(root: Rootfs, path: string): string {
  return `/${posix.relative(root.dir, root.hostPath(path))}`;
}
