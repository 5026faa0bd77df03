import { posix } from 'node:path';
import { asIngotError } from '../../../core/error.ts';
import type { Rootfs } from '../../../core/rootfs.ts';
import { FactError } from '../system.ts';
import type { User } from './accounts.ts';
import { readFstab } from './boot-settings.ts';
import { lastPlace, realPath } from './follow-links.ts';

/** Folders that are empty on a disk and filled at boot. */
export const VOLATILE = ['/proc', '/sys', '/dev', '/run', '/tmp', '/var/run'];

/** Who knows a file: the root filesystem, what is filled at boot, or another partition. */
export type FilePlace = 'disk' | 'volatile' | 'partition';

/** Attributes that goss reads through a last link; the others are the link's own. */
const THROUGH_LINKS: ReadonlySet<string> = new Set(['contents', 'contains', 'md5', 'sha256', 'sha512']);

/** Where a file's attribute is decided. Links to folders on the way count: /var/lock is /run/lock. */
export function placeOf(root: Rootfs, path: string, attribute: string): FilePlace {
  const partitions = readFstab(root)
    .map(({ target }) => target)
    .filter((target) => target !== '/');
  const named = [path, ...realPlaces(root, path, THROUGH_LINKS.has(attribute))];
  const isIn = (tops: readonly string[]): boolean =>
    named.some((place) => tops.some((top) => isWithin(place, top)));
  if (isIn(VOLATILE)) return 'volatile';
  return isIn(partitions) ? 'partition' : 'disk';
}

/** The path with its folders' links followed inside the image, and where its own link leads; none where they go in circles. */
function realPlaces(root: Rootfs, path: string, throughLink: boolean): string[] {
  try {
    return throughLink ? [realPath(root, path), lastPlace(root, path)] : [realPath(root, path)];
  } catch (error) {
    if (error instanceof FactError || asIngotError(error).code === 'host/link-loop') return [];
    throw error;
  }
}

/** Whether a path is a folder or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** The absolute path that a goss file means: `~` is root's home, `~web` that of web. Throws FactError where there is no such user. */
export function absolutePath(written: string, homeOf: (user: string) => string | undefined): string {
  if (!written.startsWith('~')) return posix.resolve('/', written);
  const [first = '', ...others] = written.split('/');
  const user = first.slice(1) || 'root';
  const home = homeOf(user);
  if (home === undefined) throw new FactError(`user: unknown user ${user}`);
  return posix.resolve('/', [home, ...others].join('/'));
}

export function homeIn(users: readonly User[]): (user: string) => string | undefined {
  return (name) => users.find((user) => user.name === name)?.home;
}
