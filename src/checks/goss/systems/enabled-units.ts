import { posix } from 'node:path';
import type { Rootfs } from '../../../core/rootfs.ts';

const ETC = '/etc/systemd/system';
const FOLDERS = [ETC, '/usr/local/lib/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

/**
 * Whether `systemctl is-enabled` would say yes (systemctl(1): enabled, alias, static, indirect and generated count, with exit
 * code 0). Undefined where only a running systemd knows: units that generators make of other files.
 */
export function isEnabled(root: Rootfs, service: string): boolean | undefined {
  const name = /\.(?:service|socket|target|timer|path|mount|automount|swap|slice)$/.test(service)
    ? service
    : `${service}.service`;
  const template = name.replace(/@[^.]*\./, '@.');
  const file = locate(root, name) ?? (template === name ? undefined : locate(root, template));
  if (file === undefined) return root.exists(`/etc/init.d/${service}`) ? undefined : false;
  if (file === 'masked') return false;
  if (isLinked(root, name)) return true;
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

/** Whether a link under /etc wants the unit, or names it by another name. */
function isLinked(root: Rootfs, name: string): boolean {
  const held = ['wants', 'requires', 'upholds'].some((kind) =>
    root.glob(`${ETC}/*.${kind}/*`).some((link) => posix.basename(link) === name),
  );
  return (
    held ||
    root.list(ETC).some((entry) => {
      const path = `${ETC}/${entry}`;
      return (
        entry !== name &&
        root.lstat(path)?.isSymbolicLink() === true &&
        posix.basename(root.readLink(path)) === name
      );
    }) ||
    // The name itself is an alias of another unit.
    root.lstat(`${ETC}/${name}`)?.isSymbolicLink() === true
  );
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
