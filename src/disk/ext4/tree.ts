import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { IngotError } from '../../core/error.ts';
import type { XattrsByPath } from './xattr-dump.ts';

export type FileKind = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo' | 'socket';

/** Names and paths are strings of bytes ("latin1"): not every image keeps to UTF-8, and so they sort by bytes. */
export interface DirectoryEntry {
  readonly name: string;
  readonly file: TreeFile;
}

/** A file of any kind, once, however many names it has. */
export interface TreeFile {
  readonly kind: FileKind;
  /** Where it was first met, from the top (`''`). */
  readonly path: string;
  /** Permissions with setuid, setgid and sticky bit. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content. */
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  readonly major: number;
  readonly minor: number;
  /** Names of a file, or of a directory: its own, and `.`, and `..` in each that is in it. */
  links: number;
  /** Of a symlink: bytes. */
  readonly target?: Buffer;
  /** Of a directory: sorted by name. */
  readonly entries?: DirectoryEntry[];
}

/** A tree to write. */
export interface Tree {
  /** Folder that the paths start from. */
  readonly dir: string;
  readonly top: TreeFile;
  /** Extended attributes, by the path of each file that has any. */
  readonly xattrs?: XattrsByPath;
  /** All files: the top, then a directory's own before those in its subdirectories. */
  readonly files: readonly TreeFile[];
}

const KINDS: Readonly<Record<number, FileKind>> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'symlink',
  0o020000: 'character',
  0o060000: 'block',
  0o010000: 'fifo',
  0o140000: 'socket',
};

/** Host path of a file of a tree. */
export function hostPath(tree: Pick<Tree, 'dir'>, path: string): Buffer {
  return Buffer.concat([Buffer.from(tree.dir), Buffer.from(`/${path}`, 'latin1')]);
}

/**
 * Reads a tree, but for extended attributes and contents, which are read when they are written. The order does not depend
 * on the host's.
 */
export function readTree(dir: string): Tree {
  const linked = new Map<string, TreeFile>();
  const files: TreeFile[] = [];
  const meet = (path: string): TreeFile => {
    const place = hostPath({ dir }, path);
    const stat = lstatSync(place, { bigint: true });
    const shared = stat.nlink > 1n && !stat.isDirectory();
    const key = shared ? `${stat.dev}:${stat.ino}` : '';
    const known = shared ? linked.get(key) : undefined;
    if (known) {
      known.links++;
      return known;
    }
    const file = toFile(path, place, stat);
    if (shared) linked.set(key, file);
    files.push(file);
    return file;
  };
  const top = meet('');
  if (top.kind !== 'directory')
    throw new IngotError('disk/not-a-folder', `${dir} is a ${top.kind}; expected the folder of a filesystem`);
  // A stack of its own: depth is up to the image.
  const open = [top];
  for (let folder = open.pop(); folder; folder = open.pop()) {
    const names = readdirSync(hostPath({ dir }, folder.path), { encoding: 'latin1' }).sort();
    const below: TreeFile[] = [];
    for (const name of names) {
      const file = meet(folder.path === '' ? name : join(folder.path, name));
      folder.entries?.push({ name, file });
      if (file.kind !== 'directory') continue;
      folder.links++;
      below.push(file);
    }
    open.push(...below.reverse());
  }
  return { dir, top, files };
}

function toFile(path: string, place: Buffer, stat: BigIntStats): TreeFile {
  const mode = Number(stat.mode);
  const kind = KINDS[mode & 0o170000];
  if (kind === undefined)
    throw new IngotError(
      'disk/unknown-file',
      `/${path} has mode ${mode.toString(8)}, which is no kind of file known`,
    );
  const device = kind === 'character' || kind === 'block' ? stat.rdev : 0n;
  return {
    kind,
    path,
    mode: mode & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: kind === 'file' ? Number(stat.size) : 0,
    mtime: stat.mtimeNs,
    // The C library's makedev(3).
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
    links: kind === 'directory' ? 2 : 1,
    ...(kind === 'symlink' && { target: readlinkSync(place, { encoding: 'buffer' }) }),
    ...(kind === 'directory' && { entries: [] }),
  };
}
