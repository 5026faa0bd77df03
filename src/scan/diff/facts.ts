import { readlinkSync } from 'node:fs';
import type { Rootfs } from '../../core/rootfs.ts';
import { type Inventory, takeInventory } from '../packages/inventory.ts';
import { walkFiles } from '../packages/walk.ts';

/** A file of an image but a folder. */
export interface FileFact {
  readonly kind: 'file' | 'link' | 'other';
  /** Permissions with setuid, setgid and sticky bit. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  /** Of a link. */
  readonly target?: string;
  /** Where it lies here. */
  readonly host: string;
}

/** What two images are compared by. */
export interface ImageFacts {
  readonly inventory: Inventory;
  readonly files: ReadonlyMap<string, FileFact>;
  /** Enabled and masked units, and what wants them. */
  readonly units: ReadonlyMap<string, string>;
  readonly users: ReadonlyMap<string, string>;
  readonly groups: ReadonlyMap<string, string>;
  /** What enabled socket units listen on; services open theirs when they run, which nothing here does. */
  readonly sockets: ReadonlyMap<string, string>;
  /** By boot entry. */
  readonly kernelCommandLines: ReadonlyMap<string, string>;
  /** Bytes in files. */
  readonly bytes: number;
}

const MAX_TEXT = 4 * 1024 * 1024;
const UNITS = '/etc/systemd/system';

/** Reads what an image is from its files; nothing is executed. */
export function imageFacts(root: Rootfs): ImageFacts {
  const files = new Map<string, FileFact>();
  let bytes = 0;
  for (const { path, host, stat } of walkFiles(root, () => {})) {
    const kind = stat.isFile() ? 'file' : stat.isSymbolicLink() ? 'link' : 'other';
    const { uid, gid } = stat;
    const size = kind === 'file' ? stat.size : 0;
    const target = kind === 'link' ? { target: readlinkSync(host) } : {};
    files.set(path, { kind, mode: stat.mode & 0o7777, uid, gid, size, ...target, host });
    bytes += size;
  }
  const units = enabledUnits(files);
  return {
    inventory: takeInventory(root),
    files,
    units,
    users: accounts(root, '/etc/passwd', ([, , uid, gid, , home, shell]) => `${uid}:${gid} ${home} ${shell}`),
    groups: accounts(root, '/etc/group', ([, , gid, members]) => `${gid}${members ? ` ${members}` : ''}`),
    sockets: socketsOf(root, units),
    kernelCommandLines: commandLines(root),
    bytes,
  };
}

/** Links in `*.wants` and `*.requires`, and masks: what `systemctl enable` and `mask` leave (systemd.unit(5)). */
function enabledUnits(files: ReadonlyMap<string, FileFact>): Map<string, string> {
  const wanted = new Map<string, string[]>();
  const masked = new Map<string, string>();
  for (const [path, { kind, target }] of files) {
    if (kind !== 'link' || !path.startsWith(`${UNITS}/`)) continue;
    const [first = '', second] = path.slice(UNITS.length + 1).split('/');
    const by = /^(.+)\.(?:wants|requires)$/.exec(first)?.[1];
    if (by !== undefined && second !== undefined) wanted.set(second, [...(wanted.get(second) ?? []), by]);
    else if (second === undefined && target === '/dev/null') masked.set(first, 'masked');
  }
  const enabled = [...wanted].map(([unit, by]): [string, string] => [
    unit,
    `enabled (${by.sort().join(', ')})`,
  ]);
  return new Map([...enabled, ...masked].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Colon-separated records by their first field (passwd(5), group(5)); passwords are left out. */
function accounts(root: Rootfs, path: string, show: (fields: string[]) => string): Map<string, string> {
  const text = textOf(root, path) ?? '';
  const records = text.split('\n').filter((line) => line.includes(':'));
  return new Map(records.map((line) => [line.split(':', 1)[0] as string, show(line.split(':'))]));
}

/** `Listen…=` of enabled socket units (systemd.socket(5)). */
function socketsOf(root: Rootfs, units: ReadonlyMap<string, string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const [unit, state] of units) {
    if (!unit.endsWith('.socket') || state === 'masked') continue;
    const path = [`${UNITS}/${unit}`, `/usr/lib/systemd/system/${unit}`, `/lib/systemd/system/${unit}`].find(
      (p) => root.exists(p),
    );
    const text = path === undefined ? '' : (textOf(root, path) ?? '');
    const listens = [...text.matchAll(/^Listen\w+=(.+)$/gm)].map((m) => (m[1] as string).trim());
    found.set(unit, listens.join(', '));
  }
  return found;
}

/** `linux` lines of GRUB's configuration, and `options` of boot loader entries (Boot Loader Specification). */
function commandLines(root: Rootfs): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of [
    '/boot/grub/grub.cfg',
    '/boot/grub2/grub.cfg',
    ...root.glob('/boot/loader/entries/*.conf'),
  ]) {
    const text = textOf(root, path);
    if (text === undefined) continue;
    const pattern = path.endsWith('.cfg') ? /^\s*linux(?:efi)?\s+(\S+)\s+(.*)$/gm : /^(options)\s+(.*)$/gm;
    // The same kernel stands in several entries; the first is what boots.
    for (const [, kernel = '', line = ''] of text.matchAll(pattern)) {
      const name = `${path} ${kernel.replace(/^.*\//, '').replace(/\$\{?\w+\}?/g, '…')}`;
      if (!found.has(name)) found.set(name, line.trim());
    }
  }
  const own = textOf(root, '/etc/kernel/cmdline');
  if (own !== undefined) found.set('/etc/kernel/cmdline', own.trim());
  return found;
}

/** Undefined where it is no file that can be read. */
function textOf(root: Rootfs, path: string): string | undefined {
  try {
    return root.exists(path) ? root.readText(path, MAX_TEXT) : undefined;
  } catch {
    // A folder in its place, a loop of links, something huge: shown as changed among the files.
    return undefined;
  }
}
