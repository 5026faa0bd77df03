import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { link } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import { epochOf, type LockedApt } from '../../core/lock.ts';
import { debianSources, extendedStates } from './apt-files.ts';
import type { BlobCache } from './blobs.ts';
import { fileConflicts } from './conflicts.ts';
import { splitControlArchives } from './control-archive.ts';
import { parseControl } from './control.ts';
import { DependencyGraph } from './dependencies.ts';
import { databaseOf, infoName, type UnpackedPackage } from './dpkg-database.ts';
import { runInTree } from './enter.ts';
import type { Variant } from './options.ts';
import { isInert, type Way, wayOf } from './preinst.ts';
import {
  baseScript,
  HANDOVER,
  INITRAMFS_WRAPPER,
  type PreinstCall,
  restScript,
  SHADOWED,
  STAND_INS,
} from './scripts.ts';
import { type OpenedPackage, openPackages } from './prepared.ts';
import { type ListedPath, settleFolders, unpackData } from './unpack.ts';

const DPKG = 'var/lib/dpkg';
/** Folders that merged-/usr systems have as links (base-files of Debian 13 brings them itself). */
const MERGED = ['bin', 'sbin', 'lib', 'lib64'];
const INITRAMFS = '/usr/sbin/update-initramfs';
/** Folders' owners and modes, where packages differ, come from the first of these that has them. */
const FIRST = ['base-files', 'base-passwd'];

export interface BootstrapRequest {
  readonly entry: LockedApt;
  readonly variant: Variant;
  /** Names of the packages that were asked for; the others are there because something needs them. */
  readonly asked: ReadonlySet<string>;
}

interface Package extends UnpackedPackage {
  readonly opened: OpenedPackage;
  /** An essential package, or what one needs. */
  readonly essential: boolean;
  readonly way: Way | 'base';
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
  const [, files] = await Promise.all([
    runInTree(root, handover.dir, baseScript(base, passwdFirst(before), prepared), ctx),
    unpackSettled(of('files'), root, 2, ctx),
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

/** Reads the control archives and decides how each package gets into the tree. */
function classify(opened: readonly OpenedPackage[]): Package[] {
  const names = opened.map((pkg) => pkg.locked.name);
  const archives = splitControlArchives(Buffer.concat(opened.map((pkg) => pkg.control)), names);
  const known = opened.map((pkg, i) => {
    const files = archives[i] ?? new Map();
    const control =
      parseControl(files.get('control')?.data.toString('utf8') ?? '')[0] ?? new Map<string, string>();
    return { opened: pkg, name: pkg.locked.name, files, control, paths: [] };
  });
  const graph = new DependencyGraph(known);
  const roots = known.filter((pkg) => pkg.control.get('Essential') === 'yes').map((pkg) => pkg.name);
  const essentials = graph.closure(roots);
  const base = graph.closure([...roots, ...preparedLibraries(known, graph)]);
  return known
    .map((pkg) => {
      const essential = essentials.has(pkg.name);
      if (base.has(pkg.name)) return { ...pkg, essential, way: 'base' as const };
      const preDepends = graph.direct(pkg.name, 'Pre-Depends');
      return { ...pkg, essential, way: wayOf(scriptOf(pkg), pkg.opened.locked.archive, preDepends, base) };
    })
    .sort(byName);
}

function scriptOf(pkg: Pick<UnpackedPackage, 'files'>): string | undefined {
  return pkg.files.get('preinst')?.data.toString('latin1');
}

/**
 * What scripts that prepare an unpacking need to be there, where that is libraries and the like, with no
 * script of their own: with them in the base system, those scripts can run there.
 */
function preparedLibraries(packages: readonly UnpackedPackage[], graph: DependencyGraph): string[] {
  const scripted = new Set(packages.filter((pkg) => pkg.files.has('postinst')).map((pkg) => pkg.name));
  const prepared = packages.filter((pkg) => !isInert(scriptOf(pkg) ?? '#!/bin/sh'));
  const needed = prepared.flatMap((pkg) => graph.direct(pkg.name, 'Pre-Depends'));
  return needed.filter((name) => !scripted.has(name));
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function makeSkeleton(root: string): void {
  makeFolder(root);
  makeFolder(join(root, 'usr'));
  for (const name of MERGED) {
    makeFolder(join(root, 'usr', name));
    symlinkSync(`usr/${name}`, join(root, name));
  }
  makeFolder(join(root, DPKG));
  for (const name of ['alternatives', 'info', 'parts', 'triggers', 'updates'])
    makeFolder(join(root, DPKG, name));
  writeWithMode(join(root, DPKG, 'arch'), 'amd64\n', 0o644);
}

/** Mode 0755, whatever the umask. */
function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
}

/** The mode given, whatever the umask. */
function writeWithMode(path: string, data: string | Buffer, mode: number): void {
  writeFileSync(path, data);
  chmodSync(path, mode);
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

function placeStandIns(root: string): void {
  for (const [path, text] of Object.entries(STAND_INS)) writeWithMode(inside(root, path), text, 0o755);
  for (const [path, text] of Object.entries(SHADOWED)) {
    const program = inside(root, path);
    if (!existsSync(program) || existsSync(`${program}.ingot`)) continue;
    renameSync(program, `${program}.ingot`);
    writeWithMode(program, text, 0o755);
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

/** Where `update-initramfs` is present, a stand-in takes its place until the image is finished. */
function divertInitramfs(root: string): void {
  const program = inside(root, INITRAMFS);
  if (!existsSync(program)) return;
  renameSync(program, `${program}.distrib`);
  writeWithMode(program, INITRAMFS_WRAPPER, 0o755);
  // What `dpkg-divert --local --rename --add` writes; ":" stands for the local administrator.
  const diversions = inside(root, `/${DPKG}/diversions`);
  const there = existsSync(diversions) ? readFileSync(diversions, 'utf8') : '';
  writeWithMode(diversions, `${there}${INITRAMFS}\n${INITRAMFS}.distrib\n:\n`, 0o644);
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

/** Python interpreters with all that they need. */
function pythonGroup(packages: readonly Package[]): string[] {
  const interpreters = packages
    .filter((pkg) => /^python3\.\d+(-minimal)?$/.test(pkg.name))
    .map((pkg) => pkg.name);
  const needed = new DependencyGraph(packages).closure(interpreters);
  const present = packages.filter((pkg) => pkg.way !== 'base' && needed.has(pkg.name));
  // What dpkg unpacks by itself cannot be named before that.
  return present.some((pkg) => pkg.way === 'dpkg') ? [] : present.map((pkg) => pkg.name);
}

/** What must be configured before dpkg unpacks the packages left to it: all that their Pre-Depends need. */
function neededByDpkg(packages: readonly Package[]): string[] {
  const graph = new DependencyGraph(packages);
  const left = packages.filter((pkg) => pkg.way === 'dpkg');
  const needed = graph.closure(left.flatMap((pkg) => graph.direct(pkg.name, 'Pre-Depends')));
  return packages
    .filter((pkg) => needed.has(pkg.name) && pkg.way !== 'base' && pkg.way !== 'dpkg')
    .map((pkg) => pkg.name);
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
  const again = packages.filter((pkg) => winners.includes(pkg.name)).map((pkg) => pkg.opened);
  if (again.length > 0) await unpackData(again, root, 1, ctx);
}

/** Host path of a path in the tree, whose folder must not be led elsewhere by a link. */
function inside(root: string, path: string): string {
  const folder = realpathSync(join(root, dirname(path)));
  if (folder !== join(realpathSync(root), dirname(path))) {
    throw new IngotError(
      'apt/bad-package',
      `${dirname(path)} leads to ${folder} after unpacking; expected a plain folder`,
      {
        hint: 'A package of the list replaces a folder of the system by a link: leave it out.',
      },
    );
  }
  return join(root, path);
}
