import { createHash } from 'node:crypto';
import type { ControlFiles } from './control-archive.ts';
import type { Stanza } from './control.ts';
import { words } from './control.ts';

/** A package as it is unpacked: what dpkg keeps of it. */
export interface UnpackedPackage {
  readonly name: string;
  /** The paragraph of its control file. */
  readonly control: Stanza;
  readonly files: ControlFiles;
  /** Paths of its data archive, in the archive's order, as dpkg writes them: `/.`, `/usr`, `/usr/bin/x`. */
  readonly paths: readonly string[];
}

/** A file of /var/lib/dpkg: path below it, content, permission bits. */
export interface DatabaseFile {
  readonly path: string;
  readonly data: string | Buffer;
  readonly mode: number;
}

/** Fields of control that status does not take over. */
const LEFT_OUT = new Set(['Conffiles', 'Status', 'Config-Version']);
/** Control files that dpkg turns into other parts of its database. */
const NOT_INFO = new Set(['control']);

/** `name`, or `name:arch` for packages that can be there for several architectures, as dpkg names info files. */
export function infoName(pkg: UnpackedPackage): string {
  const same = pkg.control.get('Multi-Arch') === 'same';
  return same ? `${pkg.name}:${pkg.control.get('Architecture')}` : pkg.name;
}

/** Paths of a package's configuration files. */
export function conffilesOf(pkg: Pick<UnpackedPackage, 'files'>): string[] {
  const listed = pkg.files.get('conffiles')?.data.toString('utf8') ?? '';
  return listed.split('\n').filter((line) => line.startsWith('/'));
}

/**
 * The database that dpkg would have after `dpkg --unpack` of all packages (dpkg's own layout, format 1): the
 * status file, `info/`, and the triggers that packages wait for. `conffile` reads a configuration file: its
 * MD5 tells dpkg that the file in place is the package's own.
 */
export function* databaseOf(
  packages: readonly UnpackedPackage[],
  conffile: (path: string) => Buffer | undefined,
): Generator<DatabaseFile> {
  yield { path: 'info/format', data: '1\n', mode: 0o644 };
  const status: string[] = [];
  for (const pkg of packages) {
    const base = `info/${infoName(pkg)}`;
    yield { path: `${base}.list`, data: pkg.paths.map((path) => `${path}\n`).join(''), mode: 0o644 };
    for (const [name, file] of pkg.files) {
      if (!NOT_INFO.has(name)) yield { path: `${base}.${name}`, data: file.data, mode: file.mode };
    }
    status.push(statusStanza(pkg, conffile));
  }
  yield { path: 'status', data: status.join('\n'), mode: 0o644 };
  yield* triggerFiles(packages);
}

function statusStanza(pkg: UnpackedPackage, conffile: (path: string) => Buffer | undefined): string {
  const lines = [`Package: ${pkg.name}`, 'Status: install ok unpacked'];
  for (const [field, value] of pkg.control) {
    if (field === 'Package' || LEFT_OUT.has(field)) continue;
    lines.push(`${field}: ${value.replaceAll('\n', '\n ')}`);
  }
  const hashes = conffilesOf(pkg).flatMap((path) => {
    const content = conffile(path);
    return content ? [` ${path} ${createHash('md5').update(content).digest('hex')}`] : [];
  });
  if (hashes.length > 0) lines.push('Conffiles:', ...hashes);
  return `${lines.join('\n')}\n`;
}

/** `triggers/File` for file triggers, `triggers/<name>` for the others (dpkg's doc/triggers.txt, "Internals"). */
function* triggerFiles(packages: readonly UnpackedPackage[]): Generator<DatabaseFile> {
  const files: string[] = [];
  const named = new Map<string, string[]>();
  for (const pkg of packages) {
    const text = pkg.files.get('triggers')?.data.toString('utf8') ?? '';
    for (const line of text.split('\n')) {
      const [directive, trigger] = words(line.replace(/#.*/, ''));
      if (!directive?.startsWith('interest') || trigger === undefined) continue;
      const waiter = `${infoName(pkg)}${directive === 'interest-noawait' ? '/noawait' : ''}`;
      if (trigger.startsWith('/')) files.push(`${trigger} ${waiter}`);
      else if (/^[A-Za-z0-9][A-Za-z0-9+._-]*$/.test(trigger))
        named.set(trigger, [...(named.get(trigger) ?? []), waiter]);
    }
  }
  if (files.length > 0)
    yield { path: 'triggers/File', data: files.map((line) => `${line}\n`).join(''), mode: 0o644 };
  for (const [name, waiters] of named) {
    yield { path: `triggers/${name}`, data: waiters.map((line) => `${line}\n`).join(''), mode: 0o644 };
  }
}
