import { splitControlArchives } from './control-archive.ts';
import { parseControl } from './control.ts';
import { DependencyGraph } from './dependencies.ts';
import type { UnpackedPackage } from './dpkg-database.ts';
import { isInert, type Way, wayOf } from './preinst.ts';
import type { OpenedPackage } from './prepared.ts';

/** A package of the image, and how it gets in. */
export interface Package extends UnpackedPackage {
  readonly opened: OpenedPackage;
  /** An essential package, or what one needs. */
  readonly essential: boolean;
  readonly way: Way | 'base';
}

/** Reads the control archives and decides how each package gets into the tree. */
export function classify(opened: readonly OpenedPackage[]): Package[] {
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

/** By code unit, for `sort`. */
export function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}

/** Python interpreters with all that they need. */
export function pythonGroup(packages: readonly Package[]): string[] {
  const interpreters = packages
    .filter((pkg) => /^python3\.\d+(-minimal)?$/.test(pkg.name))
    .map((pkg) => pkg.name);
  const needed = new DependencyGraph(packages).closure(interpreters);
  const present = packages.filter((pkg) => pkg.way !== 'base' && needed.has(pkg.name));
  // What dpkg unpacks by itself cannot be named before that.
  return present.some((pkg) => pkg.way === 'dpkg') ? [] : present.map((pkg) => pkg.name);
}

/** What must be configured before dpkg unpacks the packages left to it: all that their Pre-Depends need. */
export function neededByDpkg(packages: readonly Package[]): string[] {
  const graph = new DependencyGraph(packages);
  const left = packages.filter((pkg) => pkg.way === 'dpkg');
  const needed = graph.closure(left.flatMap((pkg) => graph.direct(pkg.name, 'Pre-Depends')));
  return packages
    .filter((pkg) => needed.has(pkg.name) && pkg.way !== 'base' && pkg.way !== 'dpkg')
    .map((pkg) => pkg.name);
}
