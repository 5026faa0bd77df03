import { IngotError } from '../../core/error.ts';
import type { ImagePackage } from '../packages/package.ts';
import { FilePart } from '../packages/read-part.ts';
import { comparatorOf, ecosystemOf } from '../vulnerabilities/ecosystems.ts';
import type { FileFact, ImageFacts } from './facts.ts';

/** One thing that differs. `before` is absent for what was added, `after` for what was removed. */
export interface Change {
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
  /** Of packages: whether the version rose or fell. */
  readonly direction?: 'newer' | 'older';
}

/** A chapter of a comparison, in the order of reading. */
export interface DiffSection {
  readonly title:
    | 'packages'
    | 'units'
    | 'users'
    | 'groups'
    | 'sockets'
    | 'kernel command line'
    | 'sizes'
    | 'files';
  readonly changes: readonly Change[];
}

export interface ImageDiff {
  readonly before: string;
  readonly after: string;
  readonly sections: readonly DiffSection[];
  /** Nothing differs but, at most, sizes. */
  readonly same: boolean;
  /** What could not be read in either, and so not compared. */
  readonly notes: readonly string[];
}

export interface Side {
  readonly label: string;
  readonly facts: ImageFacts;
  /** Further sizes in bytes by name: of the disk, of its file. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** Compares two images. Contents of files are compared byte for byte where their sizes are equal. */
export function compareImages(before: Side, after: Side): ImageDiff {
  const maps = (pick: (facts: ImageFacts) => ReadonlyMap<string, string>): Change[] =>
    compareMaps(pick(before.facts), pick(after.facts));
  const sections: DiffSection[] = [
    { title: 'packages', changes: comparePackages(before.facts, after.facts) },
    { title: 'units', changes: maps((f) => f.units) },
    { title: 'users', changes: maps((f) => f.users) },
    { title: 'groups', changes: maps((f) => f.groups) },
    { title: 'sockets', changes: maps((f) => f.sockets) },
    { title: 'kernel command line', changes: maps((f) => f.kernelCommandLines) },
    { title: 'sizes', changes: compareMaps(sizesOf(before), sizesOf(after)) },
    { title: 'files', changes: compareFiles(before.facts.files, after.facts.files) },
  ];
  const notes = [before, after].flatMap(({ label, facts }) =>
    facts.inventory.findings.map((f) => `${label}: ${f.path}: ${f.message}`),
  );
  const same = sections.every((s) => s.changes.length === 0 || s.title === 'sizes');
  return { before: before.label, after: after.label, sections, same, notes };
}

function compareMaps(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Change[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((name) => {
    const [a, b] = [before.get(name), after.get(name)];
    if (a === b) return [];
    return [{ name, ...(a !== undefined && { before: a }), ...(b !== undefined && { after: b }) }];
  });
}

/** By type, name and architecture. Several versions of one name (npm) are listed together. */
function comparePackages(before: ImageFacts, after: ImageFacts): Change[] {
  const byName = ({ inventory }: ImageFacts): Map<string, ImagePackage[]> => {
    const found = new Map<string, ImagePackage[]>();
    for (const each of inventory.packages) {
      const { type, namespace, name, architecture } = each;
      const isOfSystem = type === 'deb' || type === 'rpm' || type === 'apk';
      const full = isOfSystem || namespace === undefined ? name : `${namespace}/${name}`;
      const key = `${type} ${full}${architecture === undefined ? '' : `:${architecture}`}`;
      found.set(key, [...(found.get(key) ?? []), each]);
    }
    return found;
  };
  const versions = (list: ReadonlyMap<string, ImagePackage[]>): Map<string, string> =>
    new Map([...list].map(([key, all]) => [key, [...new Set(all.map((p) => p.version))].sort().join(', ')]));
  const [old, next] = [byName(before), byName(after)];
  return compareMaps(versions(old), versions(next)).map((change) => {
    const [a, b] = [old.get(change.name), next.get(change.name)];
    if (a?.length !== 1 || b?.length !== 1) return change;
    const [one, other] = [a[0] as ImagePackage, b[0] as ImagePackage];
    const order = comparatorOf(ecosystemOf(one, before.inventory.os) ?? '')?.(one.version, other.version);
    return order === undefined || order === 0
      ? change
      : { ...change, direction: order < 0 ? ('newer' as const) : ('older' as const) };
  });
}

function sizesOf({ facts, sizes }: Side): ReadonlyMap<string, string> {
  const all = { files: facts.files.size, 'bytes in files': facts.bytes, ...sizes };
  return new Map(Object.entries(all).map(([name, value]) => [name, String(value)]));
}

function compareFiles(before: ReadonlyMap<string, FileFact>, after: ReadonlyMap<string, FileFact>): Change[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((name): Change[] => {
    const [a, b] = [before.get(name), after.get(name)];
    if (!a || !b) return [{ name, ...(a && { before: describe(a) }), ...(b && { after: describe(b) }) }];
    const [shownA, shownB] = [describe(a), describe(b)];
    if (shownA !== shownB) return [{ name, before: shownA, after: shownB }];
    if (a.kind !== 'file' || equalContents(name, a, b)) return [];
    return [{ name, before: shownA, after: `${shownB}, other content` }];
  });
}

function describe({ kind, mode, uid, gid, size, target }: FileFact): string {
  if (kind === 'link') return `→ ${target}`;
  const owner = `${mode.toString(8).padStart(4, '0')} ${uid}:${gid}`;
  return kind === 'file' ? `${owner} ${size} bytes` : `${owner} special`;
}

const CHUNK = 1024 * 1024;

function equalContents(name: string, a: FileFact, b: FileFact): boolean {
  try {
    using one = new FilePart(a.host);
    using other = new FilePart(b.host);
    for (let at = 0; at < one.size; at += CHUNK) {
      if (!one.read(at, CHUNK).equals(other.read(at, CHUNK))) return false;
    }
    return true;
  } catch (error) {
    throw new IngotError('scan/cannot-read', `${name} cannot be read: ${(error as Error).message}`, {
      hint: 'Is the image whole, and may this user read it?',
      cause: error,
    });
  }
}
