import type { Rootfs } from '../../core/rootfs.ts';
import { licenceOfCopyright } from './copyright.ts';
import type { OsRelease } from './os-release.ts';
import { type ImagePackage, type InventoryFinding, packageUrl } from './package.ts';
import { parseStanzas, type Stanza } from './stanzas.ts';

const STATUS = '/var/lib/dpkg/status';
/** Where images without dpkg (distroless) keep one file a package. */
const STATUS_FOLDER = '/var/lib/dpkg/status.d';
const INFO = '/var/lib/dpkg/info';
/** A full desktop's database has 10 MB. */
const MAX_STATUS = 64 * 1024 * 1024;
const MAX_COPYRIGHT = 4 * 1024 * 1024;
const MAX_LIST = 16 * 1024 * 1024;
/** Debian policy, 5.6.1 and 5.6.12. */
const NAME = /^[a-z0-9][a-z0-9+.-]*$/;
const VERSION = /^(\d+:)?[A-Za-z0-9.+~:-]+$/;

export interface DpkgInventory {
  readonly packages: readonly ImagePackage[];
  readonly findings: readonly InventoryFinding[];
  /** There is a database, however broken. */
  readonly present: boolean;
}

/** Packages in dpkg's database whose files are in the image: `installed`, and what an interrupted dpkg left unpacked. */
export function readDpkg(root: Rootfs, os: OsRelease): DpkgInventory {
  const findings: InventoryFinding[] = [];
  const packages: ImagePackage[] = [];
  const files = [STATUS, ...root.list(STATUS_FOLDER).map((name) => `${STATUS_FOLDER}/${name}`)].filter(
    (path) => root.exists(path) && !path.endsWith('.md5sums'),
  );
  for (const path of files) {
    const text = read(root, path, findings);
    if (text === undefined) continue;
    packages.push(...readStatus(text, path, root, os, findings));
  }
  if (files.length === 0 && root.list(INFO).some((name) => name.endsWith('.list'))) {
    const message = `packages were installed (${INFO} has their file lists), but the database is missing`;
    findings.push({ severity: 'error', path: STATUS, message });
    return { packages, findings, present: true };
  }
  return { packages, findings, present: files.length > 0 };
}

/** Paths that the packages of dpkg own, from their file lists. */
export function dpkgFiles(root: Rootfs): Set<string> {
  const owned = new Set<string>();
  for (const name of root.list(INFO).filter((n) => n.endsWith('.list'))) {
    for (const line of root.readText(`${INFO}/${name}`, MAX_LIST).split('\n')) owned.add(line);
  }
  return owned;
}

function read(root: Rootfs, path: string, findings: InventoryFinding[]): string | undefined {
  const bytes = root.readBytes(path, MAX_STATUS);
  if (bytes.includes(0)) {
    findings.push({ severity: 'error', path, message: "dpkg's database holds NUL bytes: it is damaged" });
    return undefined;
  }
  if (bytes.length === 0 && path === STATUS && root.list(INFO).some((name) => name.endsWith('.list'))) {
    findings.push({
      severity: 'error',
      path,
      message: "dpkg's database is empty, though packages are installed",
    });
    return undefined;
  }
  return Buffer.from(bytes).toString('utf8');
}

function readStatus(
  text: string,
  path: string,
  root: Rootfs,
  os: OsRelease,
  findings: InventoryFinding[],
): ImagePackage[] {
  const stanzas = parseStanzas(text, (line, content) =>
    findings.push({
      severity: 'error',
      path,
      message: `line ${line} is no field of dpkg's database: ${content.slice(0, 60)}`,
    }),
  );
  if (text !== '' && !text.endsWith('\n'))
    findings.push({ severity: 'error', path, message: "dpkg's database ends within a line: it is cut off" });
  return stanzas.flatMap((stanza) => toPackage(stanza, path, root, os, findings));
}

function toPackage(
  stanza: Stanza,
  path: string,
  root: Rootfs,
  os: OsRelease,
  findings: InventoryFinding[],
): ImagePackage[] {
  const name = stanza.get('package') ?? '';
  const version = stanza.get('version') ?? '';
  // `want flag status`; files of status.d have none.
  const state = stanza.get('status')?.split(/\s+/)[2] ?? (path === STATUS ? '' : 'installed');
  if (NAME.test(name) && ['not-installed', 'config-files'].includes(state)) return [];
  if (!NAME.test(name) || !VERSION.test(version) || state === '') {
    const message = `the entry of the package "${name.slice(0, 60)}" has no usable ${
      NAME.test(name) ? (state === '' ? 'Status' : 'Version') : 'Package'
    } field`;
    findings.push({ severity: 'error', path, message });
    return [];
  }
  if (state !== 'installed')
    findings.push({ severity: 'warning', path, message: `${name} is ${state}, not installed in full` });
  const source = sourceOf(stanza.get('source'), name, version);
  const architecture = stanza.get('architecture');
  const namespace = os.id ?? 'debian';
  const licence = licenceOf(root, name);
  const supplier = stanza.get('maintainer');
  const homepage = stanza.get('homepage');
  return [
    {
      type: 'deb',
      namespace,
      name,
      version,
      ...(architecture !== undefined && { architecture }),
      source,
      ...(licence !== undefined && { licence }),
      ...(supplier !== undefined && { supplier }),
      ...(homepage !== undefined && { homepage }),
      path,
      hashes: [],
      purl: packageUrl({
        type: 'deb',
        namespace,
        name,
        version,
        qualifiers: {
          arch: architecture,
          // grype looks its database up by this, and knows no code name; an unreleased suite has nothing else.
          distro: os.versionId === undefined ? os.codename : `${namespace}-${os.versionId}`,
          upstream: upstreamOf(source, name, version),
        },
      }),
    },
  ];
}

/** `glibc (2.36-9)`, `glibc`, or absent: then the binary package's own name and version (deb-control(5)). */
function sourceOf(
  field: string | undefined,
  name: string,
  version: string,
): NonNullable<ImagePackage['source']> {
  const [, sourceName, sourceVersion] = /^(\S+)(?:\s+\((\S+)\))?$/.exec(field ?? '') ?? [];
  // A rebuild of the binary alone (+b1) is no new source.
  return {
    name: sourceName ?? name,
    version: sourceVersion ?? (sourceName === undefined ? version.replace(/\+b\d+$/, '') : version),
  };
}

/** Scanners find what is known of a source package by it; left out where it would repeat name and version. */
function upstreamOf(
  source: NonNullable<ImagePackage['source']>,
  name: string,
  version: string,
): string | undefined {
  if (source.version !== version) return `${source.name}@${source.version}`;
  return source.name === name ? undefined : source.name;
}

function licenceOf(root: Rootfs, name: string): string | undefined {
  const path = `/usr/share/doc/${name}/copyright`;
  try {
    return root.exists(path) ? licenceOfCopyright(root.readText(path, MAX_COPYRIGHT)) : undefined;
  } catch {
    // A link that leads nowhere, a folder, a file far too large: then it says nothing of the licence.
    return undefined;
  }
}
