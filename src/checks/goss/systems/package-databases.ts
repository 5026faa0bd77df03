import type { Rootfs } from '../../../core/rootfs.ts';
import { FactError } from '../system.ts';
import { textIfThere } from './accounts.ts';

/** Versions of installed packages by name; a name with several architectures has several. */
export type InstalledPackages = ReadonlyMap<string, readonly string[]>;

export const DPKG_STATUS = '/var/lib/dpkg/status';
export const APK_DATABASE = '/lib/apk/db/installed';
/** Bytes. */
export const MAX_DATABASE = 256 * 1024 * 1024;

/**
 * What the package database of an image says: dpkg's, or apk's. Undefined where there is none that is read here (rpm).
 * Throws FactError for a damaged one: a package must not count as absent because nobody could read of it.
 */
export function readPackages(root: Rootfs): InstalledPackages | undefined {
  if (root.exists(DPKG_STATUS)) return readDpkg(root.readText(DPKG_STATUS, MAX_DATABASE));
  if (root.exists(APK_DATABASE)) return readApk(textIfThere(root, APK_DATABASE));
  return undefined;
}

/** dpkg's status file (deb822(5)); held packages are installed too. */
export function readDpkg(text: string): InstalledPackages {
  const packages = new Map<string, string[]>();
  for (const stanza of text.split(/\n\n+/)) {
    if (stanza.trim() === '') continue;
    const name = field(stanza, 'Package');
    const status = field(stanza, 'Status');
    if (name === undefined || status === undefined)
      throw new FactError(
        `the dpkg database is damaged: a stanza has no ${name === undefined ? 'Package' : 'Status'}`,
      );
    if (!/^(?:install|hold) ok installed$/.test(status)) continue;
    const version = field(stanza, 'Version');
    if (version === undefined) throw new FactError(`the dpkg database is damaged: ${name} has no Version`);
    const architecture = field(stanza, 'Architecture');
    add(packages, name, version);
    if (architecture !== undefined) add(packages, `${name}:${architecture}`, version);
  }
  return packages;
}

/** apk's database: `P:` name and `V:` version in stanzas. */
export function readApk(text: string): InstalledPackages {
  const packages = new Map<string, string[]>();
  for (const stanza of text.split(/\n\n+/)) {
    const name = /^P:(.+)$/m.exec(stanza)?.[1];
    const version = /^V:(.+)$/m.exec(stanza)?.[1];
    if (name !== undefined && version !== undefined) add(packages, name, version);
  }
  return packages;
}

function add(packages: Map<string, string[]>, name: string, version: string): void {
  const versions = packages.get(name);
  if (versions) versions.push(version);
  else packages.set(name, [version]);
}

function field(stanza: string, name: string): string | undefined {
  const at = stanza.startsWith(`${name}: `) ? 0 : stanza.indexOf(`\n${name}: `) + 1;
  if (at === 0 && !stanza.startsWith(`${name}: `)) return undefined;
  const end = stanza.indexOf('\n', at);
  return stanza.slice(at + name.length + 2, end === -1 ? undefined : end).trim();
}
