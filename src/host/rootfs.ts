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

class FolderRootfs implements Rootfs {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  hostPath(path: string): string {
    return this.#resolve(path, false);
  }

  lstat(path: string): Stats | undefined {
    return lstatSync(this.hostPath(path), { throwIfNoEntry: false });
  }

  exists(path: string): boolean {
    return lstatSync(this.#resolve(path, true), { throwIfNoEntry: false }) !== undefined;
  }

  readBytes(path: string, maxBytes = MAX_READ): Uint8Array {
    const host = this.#resolve(path, true);
    const stat = lstatSync(host, { throwIfNoEntry: false });
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
    if (!lstatSync(host, { throwIfNoEntry: false })?.isDirectory()) return [];
    return readdirSync(host).sort();
  }

  *walk(path: string): Iterable<RootfsEntry> {
    const stat = this.lstat(path);
    if (!stat) return;
    yield { path, stat };
    if (!stat.isDirectory()) return;
    for (const name of this.list(path)) yield* this.walk(path === '/' ? `/${name}` : `${path}/${name}`);
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
    const old = lstatSync(host, { throwIfNoEntry: false });
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
    const made: string[] = [];
    let at = '';
    for (const name of path.split('/').filter((p) => p !== '')) {
      at = `${at}/${name}`;
      const host = this.#resolve(at, true);
      if (lstatSync(host, { throwIfNoEntry: false })) continue;
      mkdirSync(host, { mode: 0o755 });
      made.push(host);
    }
    const last = made.at(-1);
    if (last === undefined) return;
    chmodSync(last, options.mode ?? 0o755);
    chownSync(last, options.uid ?? 0, options.gid ?? 0);
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
    let files = 0;
    let bytes = 0;
    for (const { stat } of this.walk(path)) {
      if (stat.isDirectory()) continue;
      files++;
      if (stat.isFile()) bytes += stat.size;
    }
    if (path === '/') throw new IngotError('host/not-a-file', 'the root of an image cannot be removed');
    rmSync(this.hostPath(path), { recursive: true, force: true });
    return { files, bytes };
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
      const isLink = (!isLast || follow) && lstatSync(here, { throwIfNoEntry: false })?.isSymbolicLink();
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
