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
  /** Folder on the host that the path starts from: that of the layer which has the file. */
  readonly dir: string;
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
export function hostPath({ dir, path }: Pick<TreeFile, 'dir' | 'path'>): Buffer {
  return Buffer.concat([Buffer.from(dir), Buffer.from(`/${path}`, 'latin1')]);
}

/** Whether a layer's folder hides what the layers below have in it. */
export type IsOpaque = (dir: string, path: string) => boolean;

/**
 * Reads the tree that layers make together, as overlayfs shows it (Documentation/filesystems/overlayfs.rst: whiteouts,
 * opaque directories), but for extended attributes and contents, which are read when they are written. Nothing is
 * mounted: looking up each name anew in every layer makes a fresh mount several times as slow. `layers`: their folders,
 * lowest first. The order of files does not depend on the host's.
 */
export function readTree(layers: readonly string[], isOpaque: IsOpaque = () => false): Tree {
  const linked = new Map<string, TreeFile>();
  const files: TreeFile[] = [];
  const meet = ({ dir, path, stat }: Met): TreeFile => {
    const shared = stat.nlink > 1n && !stat.isDirectory();
    const key = shared ? `${stat.dev}:${stat.ino}` : '';
    const known = shared ? linked.get(key) : undefined;
    if (known) {
      known.links++;
      return known;
    }
    const file = toFile(dir, path, stat);
    if (shared) linked.set(key, file);
    files.push(file);
    return file;
  };
  const downwards = layers.toReversed();
  const first = downwards[0] as string;
  const top = meet({ dir: first, path: '', stat: statOf(first, '') });
  if (top.kind !== 'directory')
    throw new IngotError(
      'disk/not-a-folder',
      `${first} is a ${top.kind}; expected the folder of a filesystem`,
    );
  // A stack of its own: depth is up to the image.
  const open = [{ folder: top, sources: downwards }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { folder, sources } = next;
    const met = list(folder.path, sources, isOpaque);
    const below: typeof open = [];
    for (const name of [...met.keys()].sort()) {
      const found = met.get(name) as MetFolder;
      if (isWhiteout(found.stat)) continue;
      const file = meet(found);
      folder.entries?.push({ name, file });
      if (file.kind !== 'directory') continue;
      folder.links++;
      below.push({ folder: file, sources: found.sources });
    }
    open.push(...below.reverse());
  }
  return { top, files };
}

/** A name in a folder: the uppermost layer's file. */
interface Met {
  readonly dir: string;
  readonly path: string;
  readonly stat: BigIntStats;
}

interface MetFolder extends Met {
  /** Of a folder: the layers whose content shows in it, uppermost first. */
  readonly sources: string[];
  /** Layers below may add to it. */
  open: boolean;
}

/** What is in a folder. `sources`: the layers that show in it, uppermost first. */
function list(folder: string, sources: readonly string[], isOpaque: IsOpaque): Map<string, MetFolder> {
  const met = new Map<string, MetFolder>();
  for (const dir of sources) {
    for (const name of readdirSync(hostPath({ dir, path: folder }), { encoding: 'latin1' })) {
      const above = met.get(name);
      if (above && !above.open) continue;
      const path = folder === '' ? name : join(folder, name);
      const stat = statOf(dir, path);
      const shows = stat.isDirectory();
      if (above) {
        if (shows) above.sources.push(dir);
        above.open = shows && !isOpaque(dir, path);
      } else {
        const sources = shows ? [dir] : [];
        met.set(name, { dir, path, stat, sources, open: shows && !isOpaque(dir, path) });
      }
    }
  }
  return met;
}

function statOf(dir: string, path: string): BigIntStats {
  return lstatSync(hostPath({ dir, path }), { bigint: true });
}

function isWhiteout(stat: BigIntStats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0n;
}

function toFile(dir: string, path: string, stat: BigIntStats): TreeFile {
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
    dir,
    mode: mode & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: kind === 'file' ? Number(stat.size) : 0,
    mtime: stat.mtimeNs,
    // The C library's makedev(3).
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
    links: kind === 'directory' ? 2 : 1,
    ...(kind === 'symlink' && { target: readlinkSync(hostPath({ dir, path }), { encoding: 'buffer' }) }),
    ...(kind === 'directory' && { entries: [] }),
  };
}
