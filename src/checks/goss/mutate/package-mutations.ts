import type { Rootfs } from '../../../core/rootfs.ts';
import { FactError } from '../system.ts';
import {
  APK_DATABASE,
  DPKG_STATUS,
  type InstalledPackages,
  MAX_DATABASE,
  readPackages,
} from '../systems/package-databases.ts';
import { ownedPaths } from './dpkg-facts.ts';
import type { DiskMutation, Origin } from './mutation.ts';

const PROGRAM = /^\/usr\/s?bin\/[^/]+$/;

/** What can be flipped of a package: that the database has it, and that its program is there. */
export function packageMutations(root: Rootfs, name: string, origin: Origin): DiskMutation[] {
  const of = (change: string, attribute: string, apply: DiskMutation['apply']): DiskMutation => ({
    type: 'package',
    subject: name,
    change,
    attribute,
    origin,
    apply,
  });
  const isDpkg = root.exists(DPKG_STATUS);
  const database = isDpkg ? DPKG_STATUS : APK_DATABASE;
  if (!isDpkg && !root.exists(APK_DATABASE)) return [];
  const text = root.readText(database, MAX_DATABASE);
  const installed = packagesIn(root);
  if (!installed) return [];
  if (!installed.has(name)) {
    const entry = isDpkg
      ? `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n`
      : `P:${name}\nV:1\n`;
    return [
      of('added to the database', 'installed', (changes) => changes.rewrite(database, `${text}\n${entry}`)),
    ];
  }
  const [bare = name, architecture] = name.split(':');
  const stanzas = text.split(/\n\n+/);
  const others = stanzas.filter((stanza) => !isOf(stanza, isDpkg ? 'Package: ' : 'P:', bare));
  const programs = ownedPaths(root, bare, architecture).filter(
    (path) => PROGRAM.test(path) && root.lstat(path)?.isFile(),
  );
  const program = programs.find((path) => path.endsWith(`/${bare}`)) ?? programs[0];
  return [
    of('taken out of the database', 'installed', (changes) =>
      changes.rewrite(database, `${others.join('\n\n').trimEnd()}\n`),
    ),
    ...(program === undefined
      ? []
      : [of(`its ${program} removed`, `file ${program}: exists`, (changes) => changes.remove(program))]),
  ];
}

function isOf(stanza: string, key: string, name: string): boolean {
  return stanza.split('\n').includes(`${key}${name}`);
}

/** undefined: the database is damaged, so that no line of it can be told from another. */
function packagesIn(root: Rootfs): InstalledPackages | undefined {
  try {
    return readPackages(root);
  } catch (error) {
    if (error instanceof FactError) return undefined;
    throw error;
  }
}
