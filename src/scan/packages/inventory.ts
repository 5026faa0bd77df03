import type { Rootfs } from '../../core/rootfs.ts';
import { asIngotError } from '../../core/error.ts';
import { readApk } from './apk.ts';
import { dpkgFiles, readDpkg } from './dpkg.ts';
import { readGoProgram } from './go-binary.ts';
import { isJar, readJar } from './jar.ts';
import { isNpmManifest, npmPackage } from './npm.ts';
import { type OsRelease, readOsRelease } from './os-release.ts';
import { type ImagePackage, type InventoryFinding, sortPackages } from './package.ts';
import { isPythonMetadata, pythonPackage } from './python.ts';
import { FilePart } from './read-part.ts';
import { readRpm } from './rpm.ts';
import { walkFiles, type WalkedFile } from './walk.ts';

/** Everything in an image that names itself a package. */
export interface Inventory {
  readonly os: OsRelease;
  readonly packages: readonly ImagePackage[];
  readonly findings: readonly InventoryFinding[];
  /** Package managers whose database is there. */
  readonly managers: readonly ('dpkg' | 'apk' | 'rpm')[];
}

const MAX_METADATA = 4 * 1024 * 1024;
/** Smaller ones are no Go programs. */
const MIN_PROGRAM = 64 * 1024;

/**
 * Reads the package databases and the language packages of an image. Nothing of it is executed. What a package of the
 * distribution owns is not listed a second time as a language package: the distribution repairs it under its own version.
 */
export function takeInventory(root: Rootfs): Inventory {
  const findings: InventoryFinding[] = [];
  const os = guarded('error', '/etc/os-release', findings, () => readOsRelease(root)) ?? {};
  const dpkg = guarded('error', '/var/lib/dpkg', findings, () => readDpkg(root, os));
  const apk = guarded('error', '/lib/apk/db', findings, () => readApk(root, os));
  const rpm = guarded('error', '/var/lib/rpm', findings, () => readRpm(root, os));
  for (const database of [dpkg, apk, rpm]) findings.push(...(database?.findings ?? []));
  const dpkgOwned = guarded('error', '/var/lib/dpkg/info', findings, () => dpkgFiles(root));
  const owned = ownedFiles(root, [dpkgOwned ?? [], apk?.files ?? [], rpm?.files ?? []]);
  const packages: ImagePackage[] = [dpkg, apk, rpm].flatMap((database) => database?.packages ?? []);
  const unnamed = (path: string): void => {
    findings.push({
      severity: 'warning',
      path,
      message: 'its name is not UTF-8: not looked into',
    });
  };
  for (const file of walkFiles(root, unnamed)) {
    if (!file.stat.isFile() || owned.has(file.path)) continue;
    const found = guarded('warning', file.path, findings, () => packagesOf(file, findings));
    packages.push(...(found ?? []));
  }
  const managers = (['dpkg', 'apk', 'rpm'] as const).filter((_, i) => [dpkg, apk, rpm][i]?.present ?? true);
  return { os, packages: sortPackages(packages), findings: sortFindings(findings), managers };
}

function packagesOf(file: WalkedFile, findings: InventoryFinding[]): ImagePackage[] {
  const { path, host, stat } = file;
  const [isNpm, isPython] = [isNpmManifest(path), isPythonMetadata(path)];
  if (isNpm || isPython) {
    using part = new FilePart(host);
    if (part.size > MAX_METADATA)
      throw new Error(`it has ${part.size} bytes, expected at most ${MAX_METADATA}`);
    const text = part.read(0, part.size).toString('utf8');
    const found = isNpm ? npmPackage(text, path, part.hash()) : pythonPackage(text, path, part.hash());
    return found ? [found] : [];
  }
  if (isJar(path)) {
    using part = new FilePart(host);
    const { packages, nested } = readJar(host, path, part.hash());
    const message = `${nested} archives inside of it are not opened`;
    if (nested > 0) findings.push({ severity: 'warning', path, message });
    return packages;
  }
  if ((stat.mode & 0o111) === 0 || stat.size < MIN_PROGRAM) return [];
  using part = new FilePart(host);
  const program = readGoProgram(part, path);
  if (program?.tooOld)
    findings.push({
      severity: 'warning',
      path,
      message: 'a program of Go before 1.18, whose modules are not read',
    });
  if (!program || program.modules.length === 0) return [];
  const hashes = [part.hash()];
  return program.modules.map((module) => ({ ...module, hashes }));
}

/** Whatever is wrong with one file of an image must not hide the others, and is never passed over in silence. */
function guarded<T>(
  severity: InventoryFinding['severity'],
  path: string,
  findings: InventoryFinding[],
  read: () => T,
): T | undefined {
  try {
    return read();
  } catch (error) {
    findings.push({ severity, path, message: `it could not be read: ${asIngotError(error).message}` });
    return undefined;
  }
}

/** Paths with the merged /usr taken into account: dpkg may know /lib/x, and the file is /usr/lib/x. */
function ownedFiles(root: Rootfs, lists: readonly Iterable<string>[]): Set<string> {
  const merged = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].filter((p) =>
    root.lstat(p)?.isSymbolicLink(),
  );
  const owned = new Set<string>();
  for (const list of lists) {
    for (const path of list) {
      const top = merged.find((m) => path.startsWith(`${m}/`));
      owned.add(top === undefined ? path : `/usr${path}`);
    }
  }
  return owned;
}

function sortFindings(findings: readonly InventoryFinding[]): InventoryFinding[] {
  const key = (f: InventoryFinding): string => `${f.severity}\n${f.path}\n${f.message}`;
  return [...findings].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
