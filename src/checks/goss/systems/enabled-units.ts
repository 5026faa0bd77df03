import { posix } from 'node:path';
import type { Rootfs } from '../../../core/rootfs.ts';

/** Where what is enabled is linked. */
export const ETC = '/etc/systemd/system';
const FOLDERS = [ETC, '/usr/local/lib/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

/**
 * Whether `systemctl is-enabled` would say yes (systemctl(1): enabled, alias, static, indirect and generated count, with exit
 * code 0). Undefined where only a running systemd knows: units that generators make of other files.
 */
export function isEnabled(root: Rootfs, service: string): boolean | undefined {
  const name = unitName(service);
  const file = unitFile(root, name);
  if (file === undefined) return root.exists(`/etc/init.d/${service}`) ? undefined : false;
  if (file === 'masked') return false;
  if (linksOf(root, name).length > 0) return true;
  const sections = installLines(root.readText(file));
  // A unit that can't be installed is static; one that only installs others is indirect.
  if (sections.length === 0) return true;
  return sections.every((line) => line.startsWith('Also=')) && sections.length > 0;
}

/** Path of the unit's file, `masked`, or undefined; the first folder wins. */
function locate(root: Rootfs, name: string): string | undefined {
  for (const folder of FOLDERS) {
    const path = `${folder}/${name}`;
    const stat = root.lstat(path);
    if (!stat) continue;
    if (stat.isFile()) return stat.size === 0 ? 'masked' : path;
    if (!stat.isSymbolicLink()) continue;
    const target = posix.resolve(folder, root.readLink(path));
    if (target === '/dev/null') return 'masked';
    return root.exists(path) ? path : undefined;
  }
  return undefined;
}

/** Links under /etc that want the unit, or name it by another name. */
export function linksOf(root: Rootfs, name: string): string[] {
  const held = ['wants', 'requires', 'upholds'].flatMap((kind) =>
    root.glob(`${ETC}/*.${kind}/*`).filter((link) => posix.basename(link) === name),
  );
  const aliases = root
    .list(ETC)
    .map((entry) => `${ETC}/${entry}`)
    .filter((path) => {
      if (!root.lstat(path)?.isSymbolicLink()) return false;
      // The name itself may be an alias of another unit. A link to a file of its own name only says where that lies.
      const names = [posix.basename(path), posix.basename(root.readLink(path))];
      return names[0] !== names[1] && names.includes(name);
    });
  return [...held, ...aliases];
}

/** Units that links under /etc start, by name. */
export function wantedUnits(root: Rootfs): string[] {
  const names = ['wants', 'requires', 'upholds'].flatMap((kind) =>
    root.glob(`${ETC}/*.${kind}/*`).map((link) => posix.basename(link)),
  );
  return [...new Set(names)].sort();
}

/** `nginx` as `nginx.service`; a name with a unit's suffix as it is. */
export function unitName(service: string): string {
  return /\.(?:service|socket|target|timer|path|mount|automount|swap|slice)$/.test(service)
    ? service
    : `${service}.service`;
}

/** Path of the unit's own file, or of its template's; `masked`; undefined: there is none. */
export function unitFile(root: Rootfs, name: string): string | undefined {
  const template = name.replace(/@[^.]*\./, '@.');
  return locate(root, name) ?? (template === name ? undefined : locate(root, template));
}

function installLines(text: string): string[] {
  const lines: string[] = [];
  let section = '';
  for (const line of text.split('\n').map((l) => l.trim())) {
    if (/^\[.*\]$/.test(line)) section = line;
    else if (section === '[Install]' && /^(?:WantedBy|RequiredBy|UpheldBy|Alias|Also)=./.test(line))
      lines.push(line);
  }
  return lines;
}
