import type { Stats } from 'node:fs';

export interface WriteOptions {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface RootfsEntry {
  /** Absolute path inside the image, `/etc/hostname`. */
  readonly path: string;
  readonly stat: Stats;
}

/**
 * A mounted, unbooted image. Every path is absolute inside the image; symlinks are resolved inside it and can
 * never lead out (RESOLVE_IN_ROOT of openat2(2)). Nothing of the image is executed here. Synchronous: many
 * small operations on local files.
 */
export interface Rootfs {
  /** The folder on the host; for tools that take a root. */
  readonly dir: string;
  /** Host path of `path`: parents resolved inside the root, the last component not followed. */
  hostPath(path: string): string;
  lstat(path: string): Stats | undefined;
  /** Whether something is there; follows a last symlink inside the root. */
  exists(path: string): boolean;
  readText(path: string, maxBytes?: number): string;
  readBytes(path: string, maxBytes?: number): Uint8Array;
  readLink(path: string): string;
  /** Names in a folder, sorted by code unit; [] where there is no such folder. */
  list(path: string): string[];
  /** Everything below `path` (which comes first), depth first, names sorted; symlinks are not followed. */
  walk(path: string): Iterable<RootfsEntry>;
  /** Paths matching a shell pattern of `*`, `?`, `[…]` and `**`, sorted. Hidden files match. */
  glob(pattern: string): string[];
  write(path: string, data: string | Uint8Array, options?: WriteOptions): void;
  mkdir(path: string, options?: WriteOptions): void;
  symlink(path: string, target: string): void;
  chmod(path: string, mode: number): void;
  /** Removes a file or a whole tree; answers how many files and bytes went. Absent is fine. */
  remove(path: string): { files: number; bytes: number };
}
