import { posix } from 'node:path';
import type { Rootfs } from '../core/rootfs.ts';
import type { Edit } from './edit.ts';

/** Everything that the patterns match (Rootfs.glob); folders go whole. */
export function matches(root: Rootfs, patterns: readonly string[]): Edit[] {
  return patterns.flatMap((p) => root.glob(p)).map((path) => ({ action: 'remove', path }));
}

/** What is in these folders, which stay with their owners and modes. Links to folders are not followed. */
export function contents(root: Rootfs, folders: readonly string[]): Edit[] {
  return folders
    .filter((folder) => root.lstat(folder)?.isDirectory())
    .flatMap((folder) =>
      root.list(folder).map((name): Edit => ({ action: 'remove', path: `${folder}/${name}` })),
    );
}

/** A file that has to have this content, and this mode where one is given. */
export function content(root: Rootfs, path: string, data: string | Uint8Array, mode?: number): Edit[] {
  const wanted = Buffer.from(data);
  const isSame = root.exists(path) && wanted.equals(root.readBytes(path));
  const hasMode = mode === undefined || root.lstat(path)?.isSymbolicLink() || modeOf(root, path) === mode;
  return isSame && hasMode ? [] : [{ action: 'write', path, data, ...(mode !== undefined && { mode }) }];
}

function modeOf(root: Rootfs, path: string): number {
  return (root.lstat(path)?.mode ?? 0) & 0o7777;
}

/**
 * A text file of which only some lines may stay. `keep` gets all lines and answers those that do; bytes that are no
 * ASCII pass through as they are.
 */
export function lines(
  root: Rootfs,
  path: string,
  keep: (lines: readonly string[]) => readonly string[],
  maxBytes?: number,
): Edit[] {
  if (!root.lstat(path)?.isFile()) return [];
  const text = Buffer.from(root.readBytes(path, maxBytes)).toString('latin1');
  const kept = keep(text.split('\n')).join('\n');
  return kept === text ? [] : [{ action: 'write', path, data: Buffer.from(kept, 'latin1') }];
}

/** Home folders of all users: root's, those below /home, and what /etc/passwd names (passwd(5), field 6). */
export function homes(root: Rootfs): string[] {
  const listed = root.exists('/etc/passwd')
    ? root
        .readText('/etc/passwd')
        .split('\n')
        .map((line) => line.split(':')[5] ?? '')
        .filter((home) => home.startsWith('/') && !home.includes('\0'))
        .map((home) => posix.resolve(home))
    : [];
  return [...new Set(['/root', ...root.list('/home').map((name) => `/home/${name}`), ...listed])].sort();
}

/** Patterns below every home. */
export function inHomes(root: Rootfs, patterns: readonly string[]): string[] {
  return homes(root).flatMap((home) => {
    const literal = home === '/' ? '' : home.replace(/[*?[]/g, '[$&]');
    return patterns.map((pattern) => `${literal}/${pattern}`);
  });
}
