import { createHash } from 'node:crypto';
import type { Rootfs } from '../../../core/rootfs.ts';
import { DPKG_STATUS, MAX_DATABASE } from '../systems/package-databases.ts';

const INFO = '/var/lib/dpkg/info';
const AUTOMATIC = '/var/lib/apt/extended_states';
/** Hashes of the files that ucf(1) puts in place, as their packages have them. */
const UCF = '/var/lib/ucf/hashfile';
const MAX_LIST = 16 * 1024 * 1024;
/** Debian policy, 2.5: what every sensible system has. */
const BASE: ReadonlySet<string> = new Set(['required', 'important', 'standard']);

/** What dpkg knows of an image that has more than packages made. */
export interface DpkgFacts {
  /** Installed on demand: neither part of the base system, nor because another package wants it. */
  readonly asked: readonly string[];
  /** Which package brings a file. */
  readonly owners: ReadonlyMap<string, string>;
  /** Whether a package is part of the base system. */
  isBase(name: string): boolean;
  /** Configuration files that are not as their package brought them. */
  readonly changed: readonly string[];
  /** Whether some package's script speaks of a file, and so may have made it. */
  isMade(path: string): boolean;
}

/** undefined: the image was not made by dpkg. */
export function readDpkgFacts(root: Rootfs): DpkgFacts | undefined {
  if (!root.exists(DPKG_STATUS)) return undefined;
  const base = new Set<string>();
  const all: string[] = [];
  const changed: string[] = [];
  const wanted = automaticPackages(root);
  for (const stanza of root.readText(DPKG_STATUS, MAX_DATABASE).split(/\n\n+/)) {
    const name = /^Package: (.+)$/m.exec(stanza)?.[1];
    if (name === undefined || !/^Status: \S+ ok installed$/m.test(stanza)) continue;
    all.push(name);
    if (BASE.has(/^Priority: (.+)$/m.exec(stanza)?.[1] ?? '') || /^Essential: yes$/m.test(stanza))
      base.add(name);
    for (const other of wantedBy(stanza)) wanted.add(other);
    changed.push(...changedIn(stanza, root));
  }
  const scripts = readScripts(root);
  return {
    asked: [...new Set(all)].filter((name) => !base.has(name) && !wanted.has(name)).sort(),
    owners: readOwners(root),
    isBase: (name) => base.has(name),
    changed: [...new Set([...changed, ...changedOfUcf(root)])].sort(),
    isMade: (path) => scripts.includes(path),
  };
}

/** The maintainer scripts (Debian policy, 6), which make files that no list has. */
function readScripts(root: Rootfs): string {
  return root
    .list(INFO)
    .filter((name) => /\.(?:config|postinst|postrm|preinst|prerm)$/.test(name))
    .map((name) => root.readText(`${INFO}/${name}`, MAX_LIST))
    .join('\n');
}

/** Files and folders of a package, links of the merged /usr resolved, in the order of dpkg's list. */
export function ownedPaths(root: Rootfs, name: string, architecture?: string): string[] {
  const lists = root
    .list(INFO)
    .filter((file) => file === `${name}.list` || (file.startsWith(`${name}:`) && file.endsWith('.list')))
    .filter(
      (file) =>
        architecture === undefined || file === `${name}.list` || file === `${name}:${architecture}.list`,
    );
  return lists.flatMap((file) => pathsIn(root, file));
}

function readOwners(root: Rootfs): Map<string, string> {
  const owners = new Map<string, string>();
  for (const file of root.list(INFO).filter((name) => name.endsWith('.list'))) {
    const name = file.replace(/(?::[^:]*)?\.list$/, '');
    for (const path of pathsIn(root, file)) owners.set(path, name);
  }
  return owners;
}

function pathsIn(root: Rootfs, file: string): string[] {
  return root
    .readText(`${INFO}/${file}`, MAX_LIST)
    .split('\n')
    .filter((path) => path.startsWith('/'))
    .map((path) => path.replace(/^\/(?=(?:bin|sbin|lib|lib64|lib32|libx32)\/)/, '/usr/'));
}

/** Names in the relations of a package that make apt install others (Debian policy, 7.2), their alternatives too. */
function wantedBy(stanza: string): string[] {
  return [...stanza.matchAll(/^(?:Pre-Depends|Depends|Recommends): (.+)$/gm)].flatMap(([, relations = '']) =>
    relations.split(/[,|]/).map((relation) => relation.trim().split(/[\s:(]/, 1)[0] ?? ''),
  );
}

/** Names that apt installed for others (apt_states: stanzas of extended_states). */
function automaticPackages(root: Rootfs): Set<string> {
  if (!root.exists(AUTOMATIC)) return new Set();
  const stanzas = root.readText(AUTOMATIC, MAX_LIST).split(/\n\n+/);
  return new Set(
    stanzas
      .filter((stanza) => /^Auto-Installed: 1$/m.test(stanza))
      .flatMap((stanza) => /^Package: (.+)$/m.exec(stanza)?.[1] ?? []),
  );
}

/** `Conffiles:` names the files with the MD5 that they were installed with (dpkg-query(1)). */
function changedIn(stanza: string, root: Rootfs): string[] {
  const listed = /^Conffiles:\n((?: .*\n?)+)/m.exec(stanza)?.[1] ?? '';
  return [...listed.matchAll(/^ (\/\S*) ([0-9a-f]{32})$/gm)].flatMap(([, path = '', md5 = '']) =>
    isOther(root, path, md5) ? [path] : [],
  );
}

function changedOfUcf(root: Rootfs): string[] {
  if (!root.exists(UCF)) return [];
  const lines = root.readText(UCF, MAX_LIST).matchAll(/^([0-9a-f]{32}) {2}(\/\S+)$/gm);
  return [...lines].flatMap(([, md5 = '', path = '']) => (isOther(root, path, md5) ? [path] : []));
}

function isOther(root: Rootfs, path: string, md5: string): boolean {
  const stat = root.lstat(path);
  if (!stat?.isFile()) return false;
  return createHash('md5').update(root.readBytes(path)).digest('hex') !== md5;
}
