import { posix } from 'node:path';
import type { Rootfs } from '../../../core/rootfs.ts';
import { FactError } from '../system.ts';

/** As many links as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/** The path that a path leads to when its links are followed inside the image; undefined where nothing is. Throws FactError. */
export function followLinks(root: Rootfs, path: string): string | undefined {
  let at = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const stat = root.lstat(at);
    if (!stat) return undefined;
    if (!stat.isSymbolicLink()) return at;
    at = posix.resolve(posix.dirname(at), root.readLink(at));
  }
  throw new FactError(`open ${path}: too many levels of symbolic links`);
}
