import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  constants,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeSync,
  fchmodSync,
  fchownSync,
} from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import { IngotError } from '../core/error.ts';
import type { Rootfs, RootfsEntry, WriteOptions } from '../core/rootfs.ts';

/** As many links as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;
const MAX_READ = 64 * 1024 * 1024;

/** Opens a folder as an image's root. Only for trees that nothing else writes meanwhile. */
export function openRootfs(dir: string): Rootfs {
  return new FolderRootfs(dir);
}

/** stat of a host path, without following it; undefined where nothing is, or a file stands in for a folder. */
function statOf(path: string | Buffer): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Names in a host folder, sorted by code unit. Throws `host/bad-path` where one is not UTF-8: no path could name it. */
function namesOf(path: string): string[] {
  const names = readdirSync(path);
  // Node puts U+FFFD where bytes are no UTF-8; a name may hold that character by right.
  if (names.some((name) => name.includes('\ufffd'))) {
    const wrong = readdirSync(path, { encoding: 'buffer' }).find((name) => !isUtf8(name));
    if (wrong) {
      throw new IngotError(
        'host/bad-path',
        `${path} holds a name that is not UTF-8: ${wrong.toString('latin1')}`,
        {
          hint: 'Rename or remove it in a provisioner.',
        },
      );
    }
  }
  return names.sort();
}

class FolderRootfs implements Rootfs {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  hostPath(path: string): string {
    return this.#resolve(path, false);
  }

  lstat(path: string): Stats | undefined {
    return statOf(this.hostPath(path));
  }

  exists(path: string): boolean {
    return statOf(this.#resolve(path, true)) !== undefined;
  }

  readBytes(path: string, maxBytes = MAX_READ): Uint8Array {
    const host = this.#resolve(path, true);
    const stat = statOf(host);
    if (!stat) throw new IngotError('host/no-such-file', `${path} is not in the image`);
    if (!stat.isFile()) throw new IngotError('host/not-a-file', `${path} is no regular file of the image`);
    if (stat.size > maxBytes) {
      throw new IngotError(
        'host/file-too-large',
        `${path} has ${stat.size} bytes, expected at most ${maxBytes}`,
      );
    }
    return readFileSync(host);
  }

  readText(path: string, maxBytes?: number): string {
    return Buffer.from(this.readBytes(path, maxBytes)).toString('utf8');
  }

  readLink(path: string): string {
    return readlinkSync(this.hostPath(path));
  }

  list(path: string): string[] {
    const host = this.#resolve(path, true);
    if (!statOf(host)?.isDirectory()) return [];
    return namesOf(host);
  }

  *walk(path: string): Iterable<RootfsEntry> {
    const top = path.replace(/\/+$/, '') || '/';
    const stat = this.lstat(top);
    if (!stat) return;
    yield { path: top, stat };
    if (!stat.isDirectory()) return;
    for (const name of this.list(top)) yield* this.walk(top === '/' ? `/${name}` : `${top}/${name}`);
  }

  glob(pattern: string): string[] {
    const parts = pattern.split('/').filter((p) => p !== '');
    let found = ['/'];
    for (const [i, part] of parts.entries()) {
      const last = i === parts.length - 1;
      found = found.flatMap((at) => this.#globStep(at, part, last));
    }
    return [...new Set(found)].sort();
  }

  write(path: string, data: string | Uint8Array, options: WriteOptions = {}): void {
    const host = this.#resolve(path, true);
    const old = statOf(host);
    if (old && !old.isFile())
      throw new IngotError('host/not-a-file', `${path} is no regular file of the image`);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const file = openSync(host, flags, 0o600);
    try {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fchownSync(file, options.uid ?? old?.uid ?? 0, options.gid ?? old?.gid ?? 0);
      fchmodSync(file, options.mode ?? (old ? old.mode & 0o7777 : 0o644));
    } finally {
      closeSync(file);
    }
  }

  mkdir(path: string, options: WriteOptions = {}): void {
    const names = path.split('/').filter((p) => p !== '');
    let at = '';
    for (const [i, name] of names.entries()) {
      at = `${at}/${name}`;
      const host = this.#resolve(at, true);
      if (statOf(host)) continue;
      const isLast = i === names.length - 1;
      mkdirSync(host);
      // Whatever umask we run with: what is made on the way is as a package would have it.
      chmodSync(host, isLast ? (options.mode ?? 0o755) : 0o755);
      chownSync(host, isLast ? (options.uid ?? 0) : 0, isLast ? (options.gid ?? 0) : 0);
    }
  }

  symlink(path: string, target: string): void {
    const host = this.hostPath(path);
    rmSync(host, { force: true });
    symlinkSync(target, host);
    lchownSync(host, 0, 0);
  }

  chmod(path: string, mode: number): void {
    const host = this.#resolve(path, true);
    chmodSync(host, mode);
  }

  remove(path: string): { files: number; bytes: number } {
    const host = this.hostPath(path);
    if (host === join(this.dir))
      throw new IngotError('host/not-a-file', 'the root of an image cannot be removed');
    const counted = { files: 0, bytes: 0 };
    if (!statOf(host)) return counted;
    count(Buffer.from(host), counted);
    rmSync(host, { recursive: true, force: true });
    return counted;
  }

  #globStep(at: string, part: string, last: boolean): string[] {
    const below = (name: string): string => (at === '/' ? `/${name}` : `${at}/${name}`);
    if (part === '**') {
      const folders = [...this.walk(at)].filter((e) => last || e.stat.isDirectory()).map((e) => e.path);
      return last ? folders.filter((p) => p !== at) : folders;
    }
    if (!/[*?[]/.test(part)) return this.lstat(below(part)) ? [below(part)] : [];
    const pattern = globToRegExp(part);
    return this.list(at)
      .filter((name) => pattern.test(name))
      .map(below);
  }

  /** Host path with every link resolved inside the root; the last one only with `follow`. */
  #resolve(path: string, follow: boolean): string {
    const todo = path.split('/').reverse();
    const real: string[] = [];
    let links = 0;
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        real.pop();
        continue;
      }
      if (part.includes('\0'))
        throw new IngotError('host/bad-path', `${JSON.stringify(path)} holds a NUL byte`);
      const here = join(this.dir, ...real, part);
      const isLast = todo.every((p) => p === '' || p === '.');
      const isLink = (!isLast || follow) && statOf(here)?.isSymbolicLink();
      if (!isLink) {
        real.push(part);
        continue;
      }
      if (++links > MAX_LINKS) {
        throw new IngotError('host/link-loop', `${path} leads through more than ${MAX_LINKS} symbolic links`);
      }
      const target = readlinkSync(here);
      if (target.startsWith('/')) real.length = 0;
      todo.push(...target.split('/').reverse());
    }
    return join(this.dir, ...real);
  }
}

/** Counts what is not a folder below a host path. Names are bytes: what is removed need not be UTF-8. */
function count(path: Buffer, into: { files: number; bytes: number }): void {
  const stat = statOf(path);
  if (!stat) return;
  if (stat.isDirectory()) {
    for (const name of readdirSync(path, { encoding: 'buffer' }))
      count(Buffer.concat([path, Buffer.from('/'), name]), into);
    return;
  }
  into.files++;
  if (stat.isFile()) into.bytes += stat.size;
}

/** One path component's shell pattern (glob(7)). Brackets are taken over, everything else is literal. */
function globToRegExp(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] as string;
    const close = c === '[' ? pattern.indexOf(']', i + 2) : -1;
    if (c === '*') source += '[^/]*';
    else if (c === '?') source += '[^/]';
    else if (close > 0) {
      const inner = pattern
        .slice(i + 1, close)
        .replace(/^!/, '^')
        .replace(/[\\[]/g, '\\$&');
      source += `[${inner}]`;
      i = close;
    } else source += c.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  }
  return new RegExp(`^${source}$`, 's');
}
