import type { Rootfs } from '../core/rootfs.ts';

/** A unit file's name and whether links enable it. */
export interface UnitState {
  readonly name: string;
  readonly enabled: boolean;
}

/** Search path of unit files that packages install and people write (systemd.unit(5)). */
const FOLDERS: Readonly<Record<'system' | 'user', readonly string[]>> = {
  system: [
    '/etc/systemd/system',
    '/usr/local/lib/systemd/system',
    '/usr/lib/systemd/system',
    '/lib/systemd/system',
  ],
  user: ['/etc/systemd/user', '/usr/local/lib/systemd/user', '/usr/lib/systemd/user', '/lib/systemd/user'],
};
const SUFFIX = /\.(service|socket|target|timer|path|mount|automount|swap|slice)$/;

/** Names that links below /etc/systemd enable: in .wants, .requires and .upholds folders, and as aliases. */
export function enabledNames(root: Rootfs, scope: 'system' | 'user'): Set<string> {
  const top = `/etc/systemd/${scope}`;
  const names = new Set<string>();
  for (const kind of ['wants', 'requires', 'upholds']) {
    for (const link of root.glob(`${top}/*.${kind}/*`)) names.add(baseName(link));
  }
  for (const path of root.glob(`${top}/*`)) {
    if (!root.lstat(path)?.isSymbolicLink()) continue;
    const target = root.readLink(path);
    // A link to /dev/null masks; any other is an alias, and enables what it points to.
    if (target !== '/dev/null') names.add(baseName(target));
  }
  return names;
}

/** Every unit file with an [Install] section, and every enabled instance of a template, sorted by name. */
export function installableUnits(root: Rootfs, scope: 'system' | 'user'): UnitState[] {
  const enabled = enabledNames(root, scope);
  const states = new Map<string, UnitState>();
  for (const folder of FOLDERS[scope]) {
    for (const name of root.list(folder)) {
      if (states.has(name) || !SUFFIX.test(name)) continue;
      const path = `${folder}/${name}`;
      if (!root.lstat(path)?.isFile() || !/^\[Install\]/m.test(root.readText(path))) continue;
      states.set(name, { name, enabled: enabled.has(name) });
    }
  }
  for (const name of enabled) {
    if (/@[^.]/.test(name) && !states.has(name)) states.set(name, { name, enabled: true });
  }
  return [...states.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
