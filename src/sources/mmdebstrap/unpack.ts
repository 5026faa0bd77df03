import { chownSync, chmodSync, lstatSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { OpenedPackage } from './prepared.ts';
import { together } from './together.ts';

/** One path of a data archive as tar listed it. */
export interface ListedPath {
  /** As dpkg writes it: `/.`, `/usr`, `/usr/bin/x`. */
  readonly path: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

type RunContext = Pick<Context, 'host' | 'signal'>;

const HOST_USR = '.ingot-host-usr';
/** The dynamic loader and libraries of the host's tar, as seen from inside the tree. */
const LOADER = `/${HOST_USR}/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 --library-path /${HOST_USR}/lib/x86_64-linux-gnu /${HOST_USR}/bin/tar`;
const TAR =
  '-x -P -p -vv --full-time --ignore-zeros --numeric-owner --keep-directory-symlink --no-overwrite-dir --quoting-style=literal';

/**
 * Unpacks the data archives of packages into `root`, several packages through one decompressor and one tar,
 * in `workers` such pipes side by side. tar runs with `root` as its root, so a link in a package leads
 * nowhere else. Answers what each package brought.
 */
export async function unpackData(
  packages: readonly OpenedPackage[],
  root: string,
  workers: number,
  ctx: RunContext,
): Promise<Map<string, ListedPath[]>> {
  await mkdir(join(root, HOST_USR), { recursive: true });
  const listed = new Map<string, ListedPath[]>();
  await together(
    ctx.signal,
    shares(packages, workers).map((share) => async (signal: AbortSignal) => {
      const paths = await unpackShare(share, root, { ...ctx, signal });
      share.forEach((pkg, i) => listed.set(pkg.locked.name, paths[i] ?? []));
    }),
  );
  await rmdir(join(root, HOST_USR));
  return listed;
}

/** Splits packages into shares of like size; the same packages always give the same shares. */
function shares(packages: readonly OpenedPackage[], count: number): OpenedPackage[][] {
  const bins = Array.from({ length: count }, () => ({ size: 0, packages: [] as OpenedPackage[] }));
  const bySize = [...packages].sort((a, b) => b.data.length - a.data.length);
  for (const pkg of bySize) {
    const least = bins.reduce((a, b) => (b.size < a.size ? b : a));
    least.packages.push(pkg);
    // What a package costs whatever its size: its folders and small files.
    least.size += pkg.data.length + 20_000;
  }
  return bins.map((bin) => bin.packages).filter((share) => share.length > 0);
}

async function unpackShare(
  share: readonly OpenedPackage[],
  root: string,
  ctx: RunContext,
): Promise<ListedPath[][]> {
  const script = `mount --bind /usr "$1/${HOST_USR}" && zstd -q -dc | chroot "$1" ${LOADER} ${TAR}`;
  const result = await ctx.host.run(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', root],
    {
      input: Readable.from(share.map((pkg) => pkg.data)),
      maxBytes: 512 << 20,
      signal: ctx.signal,
    },
  );
  const paths = parseListing(result.stdout);
  if (paths.length !== share.length) {
    throw new IngotError(
      'apt/bad-package',
      `${share.length} packages gave ${paths.length} archives that begin with "./": ${share.map((pkg) => pkg.locked.name).join(' ')}`,
    );
  }
  return paths;
}

const LINE =
  /^([-dlhbcpC])([-rwxsStT]{9}) (\d+)\/(\d+) +(?:\d+|\d+,\d+) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? (.*)$/;

/** Reads tar's long listing of concatenated data archives, each of which begins with its `./`. */
export function parseListing(text: string): ListedPath[][] {
  const archives: ListedPath[][] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const match = LINE.exec(line);
    if (!match) throw new IngotError('apt/bad-package', `tar lists "${line}", which is no path of a package`);
    const [, type = '', permissions = '', uid, gid, rest = ''] = match;
    const cut = type === 'l' ? rest.indexOf(' -> ') : type === 'h' ? rest.indexOf(' link to ') : -1;
    const name = cut === -1 ? rest : rest.slice(0, cut);
    if (name === './') archives.push([]);
    const path = name === './' ? '/.' : `/${name.replace(/^\.?\//, '').replace(/\/$/, '')}`;
    archives.at(-1)?.push({ path, type, mode: modeOf(permissions), uid: Number(uid), gid: Number(gid) });
  }
  return archives;
}

/** Permission bits of `rwxr-sr-t`. */
export function modeOf(text: string): number {
  let mode = 0;
  for (let i = 0; i < 9; i++) if (/[rwxst]/.test(text[i] ?? '')) mode |= 1 << (8 - i);
  if (/[sS]/.test(text[2] ?? '')) mode |= 0o4000;
  if (/[sS]/.test(text[5] ?? '')) mode |= 0o2000;
  if (/[tT]/.test(text[8] ?? '')) mode |= 0o1000;
  return mode;
}

/**
 * Gives folders that several packages bring the owner and mode of the first of them, as dpkg does, whichever
 * pipe came first. `order`: packages as dpkg would unpack them.
 */
export function settleFolders(
  listed: ReadonlyMap<string, readonly ListedPath[]>,
  order: readonly string[],
  root: string,
): void {
  const settled = new Set<string>();
  for (const name of order) {
    for (const entry of listed.get(name) ?? []) {
      if (entry.type !== 'd' || settled.has(entry.path)) continue;
      settled.add(entry.path);
      const path = join(root, entry.path);
      const stat = lstatSync(path);
      if (!stat.isDirectory()) continue;
      if (stat.uid !== entry.uid || stat.gid !== entry.gid) chownSync(path, entry.uid, entry.gid);
      if ((stat.mode & 0o7777) !== entry.mode) chmodSync(path, entry.mode);
    }
  }
}
