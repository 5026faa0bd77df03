import type { Removed, SealOperation } from '../core/plugin.ts';
import type { Rootfs } from '../core/rootfs.ts';

/** Removes everything that the patterns match (Rootfs.glob); folders go whole. */
export function removeMatches(root: Rootfs, patterns: readonly string[]): Removed[] {
  const removed: Removed[] = [];
  for (const path of patterns.flatMap((p) => root.glob(p))) {
    if (!root.lstat(path)) continue;
    removed.push({ path, action: 'removed', ...root.remove(path) });
  }
  return removed;
}

/** Empties folders and keeps them, with their modes. */
export function emptyFolders(root: Rootfs, folders: readonly string[]): Removed[] {
  return folders
    .filter((folder) => root.lstat(folder)?.isDirectory())
    .flatMap((folder) => removeMatches(root, [`${folder}/*`]));
}

/** Writes a file where its content is another. */
export function rewrite(root: Rootfs, path: string, text: string, detail?: string): Removed[] {
  const old = root.lstat(path)?.isFile() ? root.readText(path) : undefined;
  if (old === text) return [];
  root.write(path, text);
  const action = old === undefined ? 'added' : 'rewritten';
  return [{ path, action, files: 1, bytes: old?.length ?? 0, ...(detail !== undefined && { detail }) }];
}

/** Keeps the lines of a file for which `keep` says so. */
export function filterLines(root: Rootfs, path: string, keep: (line: string) => boolean): Removed[] {
  if (!root.lstat(path)?.isFile()) return [];
  const text = root.readText(path);
  return rewrite(root, path, text.split('\n').filter(keep).join('\n'));
}

/** An operation that only removes files. */
export function removal(
  name: string,
  version: number,
  doc: string,
  patterns: readonly string[],
): SealOperation {
  return { name, version, doc, offline: async (root) => removeMatches(root, patterns) };
}

/** Home folders of all users: root's, those below /home, and what /etc/passwd names below them. */
export function homes(root: Rootfs): string[] {
  const listed = root.exists('/etc/passwd')
    ? root
        .readText('/etc/passwd')
        .split('\n')
        .map((line) => line.split(':')[5] ?? '')
        .filter((home) => /^\/(home|root|var\/lib|srv|opt)(\/|$)/.test(home))
    : [];
  return [...new Set(['/root', ...root.glob('/home/*'), ...listed])]
    .filter((h) => root.lstat(h)?.isDirectory())
    .sort();
}
