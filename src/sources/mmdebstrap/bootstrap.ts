import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { link } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { epochOf, type LockedApt } from '../../core/lock.ts';
import { debianSources, extendedStates } from './apt-files.ts';
import type { BlobCache } from './blobs.ts';
import { byName, classify, neededByDpkg, type Package, pythonGroup } from './classify.ts';
import { fileConflicts } from './conflicts.ts';
import { databaseOf, infoName } from './dpkg-database.ts';
import { runInTree } from './enter.ts';
import type { Variant } from './options.ts';
import { openPackages } from './prepared.ts';
import { baseScript, HANDOVER, type PreinstCall, restScript } from './scripts.ts';
import { together } from './together.ts';
import { divertInitramfs, DPKG, inside, makeSkeleton, placeStandIns, writeWithMode } from './tree.ts';
import { type ListedPath, settleFolders, unpackData } from './unpack.ts';

/** Folders' owners and modes, where packages differ, come from the first of these that has them. */
const FIRST = ['base-files', 'base-passwd'];

export interface BootstrapRequest {
  readonly entry: LockedApt;
  readonly variant: Variant;
  /** Names of the packages that were asked for; the others are there because something needs them. */
  readonly asked: ReadonlySet<string>;
}

/**
 * Makes a root filesystem of the locked packages in the empty folder `root`: all files unpacked side by side,
 * then every package configured once, by dpkg inside the tree. The packages are in the cache. The same lock
 * entry gives the same tree.
 */
export async function bootstrap(
  request: BootstrapRequest,
  root: string,
  cache: BlobCache,
  ctx: Context,
): Promise<void> {
  const { entry } = request;
  const opened = await openPackages(entry.packages, cache, ctx);
  const packages = classify(opened);
  const of = (way: Package['way']) => packages.filter((pkg) => pkg.way === way);
  await using handover = await ctx.host.scratch(ctx.workDir, 'handover-');
  makeSkeleton(root);

  // The base system's files, then its configuration beside the unpacking of what needs no preparation.
  const listed = await unpackSettled(of('base'), root, 2, ctx);
  writeDatabase(root, of('base'), listed);
  placeStandIns(root);
  const prepared = writePreinsts(of('preinst'), handover.dir);
  const base = of('base').map((pkg) => pkg.name);
  const before = of('base').flatMap((pkg) => installedPreinst(pkg));
  const [, files] = await together<[void, Map<string, ListedPath[]>]>(ctx.signal, [
    (signal) =>
      runInTree(root, handover.dir, baseScript(base, passwdFirst(before), prepared), { ...ctx, signal }),
    (signal) => unpackSettled(of('files'), root, 2, { ...ctx, signal }),
  ]);
  const more = await unpackSettled(of('preinst'), root, 2, ctx);
  for (const [name, paths] of [...files, ...more]) listed.set(name, paths);
  await settleConflicts(packages, listed, root, ctx);

  // Everything else, in one pass.
  writeDatabase(root, [...of('files'), ...of('preinst')].sort(byName), listed);
  divertInitramfs(root);
  placeStandIns(root);
  configureApt(root, request, packages);
  const debs = await Promise.all(of('dpkg').map((pkg) => handOver(pkg, cache, handover.dir)));
  await runInTree(
    root,
    handover.dir,
    restScript({ python: pythonGroup(packages), first: neededByDpkg(packages), debs }),
    ctx,
  );
  await settleDates(root, epochOf(entry) ?? ctx.epoch, ctx);
}

/**
 * No file is younger than the epoch, and every folder is as old: in a folder's date shows when files came into
 * it. Links are not followed.
 */
async function settleDates(root: string, epoch: number, ctx: Context): Promise<void> {
  const script =
    'find "$1" -xdev \\( -newermt "@$2" -o -type d \\) -print0 | xargs -0 touch --no-dereference --date="@$2"';
  await ctx.host.run('sh', ['-c', script, 'sh', root, String(epoch)], { signal: ctx.signal });
}

async function unpackSettled(
  packages: readonly Package[],
  root: string,
  workers: number,
  ctx: Context,
): Promise<Map<string, ListedPath[]>> {
  const listed = await unpackData(
    packages.map((pkg) => pkg.opened),
    root,
    workers,
    ctx,
  );
  const names = packages.map((pkg) => pkg.name);
  settleFolders(listed, [...FIRST, ...names.filter((name) => !FIRST.includes(name))], root);
  return listed;
}

/** Adds packages to dpkg's database as unpacked. What is there already (status, triggers) is kept. */
function writeDatabase(
  root: string,
  packages: readonly Package[],
  listed: ReadonlyMap<string, readonly ListedPath[]>,
): void {
  const unpacked = packages.map((pkg) => ({
    ...pkg,
    paths: (listed.get(pkg.name) ?? []).map((entry) => entry.path),
  }));
  const conffile = (path: string) => {
    const host = join(root, path);
    return existsSync(host) && lstatSync(host).isFile() ? readFileSync(host) : undefined;
  };
  for (const file of databaseOf(unpacked, conffile)) {
    const path = inside(root, `/${DPKG}/${file.path}`);
    const there = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const shared = file.path === 'status' || file.path.startsWith('triggers/');
    const gap = file.path === 'status' && there !== '' ? '\n' : '';
    writeWithMode(path, shared ? `${there}${gap}${String(file.data)}` : file.data, file.mode);
  }
}

/** apt's sources by their public names, and its memory of what was asked for. */
function configureApt(root: string, request: BootstrapRequest, packages: readonly Package[]): void {
  if (!packages.some((pkg) => pkg.name === 'apt')) return;
  writeWithMode(inside(root, '/etc/apt/sources.list.d/debian.sources'), debianSources(request.entry), 0o644);
  const others = packages.filter((pkg) => !pkg.essential);
  const states = extendedStates(others, request.variant, request.asked);
  writeWithMode(inside(root, '/var/lib/apt/extended_states'), states, 0o644);
}

/** Writes preinst scripts into the hand-over folder; they are run there before their files are unpacked. */
function writePreinsts(packages: readonly Package[], dir: string): PreinstCall[] {
  return packages.flatMap((pkg) => {
    const file = pkg.files.get('preinst');
    if (!file) return [];
    writeWithMode(join(dir, `${pkg.name}.preinst`), file.data, 0o755);
    return [{ name: pkg.name, script: `${HANDOVER}/${pkg.name}.preinst` }];
  });
}

/** The base system's preinst scripts are run in place: there was no system to run them in before. */
function installedPreinst(pkg: Package): PreinstCall[] {
  return pkg.files.has('preinst')
    ? [{ name: pkg.name, script: `/${DPKG}/info/${infoName(pkg)}.preinst` }]
    : [];
}

/** base-passwd's makes /etc/passwd, which the others need. */
function passwdFirst(calls: readonly PreinstCall[]): PreinstCall[] {
  const first = calls.filter((call) => call.name === 'base-passwd');
  return [...first, ...calls.filter((call) => call.name !== 'base-passwd')];
}

async function handOver(pkg: Package, cache: BlobCache, dir: string): Promise<string> {
  await link(cache.path(pkg.opened.locked.sha256), join(dir, `${pkg.name}.deb`));
  return `${HANDOVER}/${pkg.name}.deb`;
}

/** Unpacks again what replaces files of others, alone, so that its files lie on top. */
async function settleConflicts(
  packages: readonly Package[],
  listed: Map<string, ListedPath[]>,
  root: string,
  ctx: Context,
): Promise<void> {
  const { winners, lost } = fileConflicts(listed, packages);
  for (const [name, paths] of lost) {
    listed.set(
      name,
      (listed.get(name) ?? []).filter((entry) => !paths.has(entry.path)),
    );
  }
  // Lists of the base system are written already.
  for (const pkg of packages.filter(({ name, way }) => way === 'base' && lost.has(name))) {
    const paths = (listed.get(pkg.name) ?? []).map((entry) => `${entry.path}\n`);
    writeWithMode(inside(root, `/${DPKG}/info/${infoName(pkg)}.list`), paths.join(''), 0o644);
  }
  const again = packages.filter((pkg) => winners.includes(pkg.name)).map((pkg) => pkg.opened);
  if (again.length > 0) await unpackData(again, root, 1, ctx);
}
