import type { Rootfs } from '../../../core/rootfs.ts';
import { IngotError } from '../../../core/error.ts';
import { findRpmDatabase, readRpmDatabase } from '../../../core/rpm/database.ts';
import { componentPattern } from '../glob-files.ts';
import { FactError } from '../system.ts';

/** Versions of installed packages by name; a name with several architectures has several. */
export type InstalledPackages = ReadonlyMap<string, readonly string[]>;

export const DPKG_STATUS = '/var/lib/dpkg/status';
const DPKG_INFO = '/var/lib/dpkg/info';
export const APK_DATABASE = '/lib/apk/db/installed';
/** Bytes. */
export const MAX_DATABASE = 256 * 1024 * 1024;

/** Which database an image's packages are in. As goss decides it: a distribution of rpm's may have dpkg as a tool. */
function kindOf(root: Rootfs): 'apk' | 'dpkg' | 'rpm' | undefined {
  if (['/etc/redhat-release', '/etc/system-release'].some((path) => root.exists(path))) return 'rpm';
  if (root.exists(DPKG_STATUS)) return 'dpkg';
  return root.exists(APK_DATABASE) ? 'apk' : findRpmDatabase(root) && 'rpm';
}

/**
 * What the package database of an image says. Undefined where there is none that is read here (rpm's old formats).
 * Throws FactError for a damaged one: a package must not count as absent because nobody could read of it.
 */
export function readPackages(root: Rootfs): InstalledPackages | undefined {
  try {
    switch (kindOf(root)) {
      case 'dpkg': {
        const text = root.readText(DPKG_STATUS, MAX_DATABASE);
        if (text.trim() === '' && root.list(DPKG_INFO).some((name) => name.endsWith('.list')))
          throw new FactError('the dpkg database is empty, though packages are installed');
        return readDpkg(text);
      }
      case 'apk':
        return readApk(root.readText(APK_DATABASE, MAX_DATABASE));
      case 'rpm':
        return readRpm(root);
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof IngotError) throw new FactError(error.message);
    throw error;
  }
}

/** Whether the unbooted image tells what is installed, or in which way its database is damaged. */
export function packagesAreRead(root: Rootfs): boolean {
  const kind = kindOf(root);
  return kind === 'rpm' ? findRpmDatabase(root)?.format === 'sqlite' : kind !== undefined;
}

/** dpkg's status file (deb822(5)); held packages are installed too. */
export function readDpkg(text: string): InstalledPackages {
  mustBeWhole(text, 'dpkg');
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
  mustBeWhole(text, 'apk');
  const packages = new Map<string, string[]>();
  for (const stanza of text.split(/\n\n+/)) {
    if (stanza.trim() === '') continue;
    const name = /^P:(.+)$/m.exec(stanza)?.[1];
    const version = /^V:(.+)$/m.exec(stanza)?.[1];
    if (name === undefined || version === undefined)
      throw new FactError(
        `the apk database is damaged: a stanza has no ${name === undefined ? 'name' : 'version'}`,
      );
    add(packages, name, version);
  }
  return packages;
}

/** Versions as `rpm -q` tells them to goss, with the epoch where a package has one. */
function readRpm(root: Rootfs): InstalledPackages | undefined {
  const database = readRpmDatabase(root);
  if (database?.format !== 'sqlite') return undefined;
  const [damage] = database.damage;
  if (damage) throw new FactError(`${damage.path}: ${damage.message}`);
  const packages = new Map<string, string[]>();
  for (const { name, epoch, version, release, architecture } of database.headers) {
    const text = `${epoch === undefined ? '' : `${epoch}:`}${version}-${release}`;
    add(packages, name, text);
    if (architecture !== undefined) add(packages, `${name}.${architecture}`, text);
  }
  return packages;
}

/**
 * Versions of what a goss file names, undefined where nothing is installed. dpkg-query(1), which goss asks, takes patterns of
 * `*`, `?` and `[…]`.
 */
export function versionsOf(packages: InstalledPackages, name: string): readonly string[] | undefined {
  if (!/[*?[]/.test(name)) return packages.get(name);
  const pattern = componentPattern(name.replaceAll('[!', '[^'));
  // With the architecture a package is there a second time.
  const found = [...packages].filter(
    ([key]) => key.includes(':') === name.includes(':') && pattern.test(key),
  );
  return found.length === 0 ? undefined : found.flatMap(([, versions]) => versions);
}

function mustBeWhole(text: string, manager: string): void {
  if (text.includes('\0')) throw new FactError(`the ${manager} database is damaged: it holds NUL bytes`);
  if (text !== '' && !text.endsWith('\n'))
    throw new FactError(`the ${manager} database is damaged: it ends within a line`);
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
