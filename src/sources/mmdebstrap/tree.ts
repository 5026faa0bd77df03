import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { IngotError } from '../../core/error.ts';
import { INITRAMFS_WRAPPER, SHADOWED, STAND_INS } from './scripts.ts';

/** dpkg's database in a tree. */
export const DPKG = 'var/lib/dpkg';
/** Folders that merged-/usr systems have as links (base-files of Debian 13 brings them itself). */
const MERGED = ['bin', 'sbin', 'lib', 'lib64'];
const INITRAMFS = '/usr/sbin/update-initramfs';

/** What must be there before the first package is unpacked: the merged /usr, and dpkg's folders. */
export function makeSkeleton(root: string): void {
  makeFolder(root);
  makeFolder(join(root, 'usr'));
  for (const name of MERGED) {
    makeFolder(join(root, 'usr', name));
    symlinkSync(`usr/${name}`, join(root, name));
  }
  makeFolder(join(root, DPKG));
  for (const name of ['alternatives', 'info', 'parts', 'triggers', 'updates'])
    makeFolder(join(root, DPKG, name));
  writeWithMode(join(root, DPKG, 'arch'), 'amd64\n', 0o644);
}

/** Mode 0755, whatever the umask. */
function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
}

/** The mode given, whatever the umask. */
export function writeWithMode(path: string, data: string | Buffer, mode: number): void {
  writeFileSync(path, data);
  chmodSync(path, mode);
}

/** Puts stand-ins in place of programs; `cleanScript` takes them away. May be called again for new files. */
export function placeStandIns(root: string): void {
  for (const [path, text] of Object.entries(STAND_INS)) writeWithMode(inside(root, path), text, 0o755);
  for (const [path, text] of Object.entries(SHADOWED)) {
    const program = inside(root, path);
    if (!existsSync(program) || existsSync(`${program}.ingot`)) continue;
    renameSync(program, `${program}.ingot`);
    writeWithMode(program, text, 0o755);
  }
}

/** Where `update-initramfs` is present, a stand-in takes its place until the image is finished. */
export function divertInitramfs(root: string): void {
  const program = inside(root, INITRAMFS);
  if (!existsSync(program)) return;
  renameSync(program, `${program}.distrib`);
  writeWithMode(program, INITRAMFS_WRAPPER, 0o755);
  // What `dpkg-divert --local --rename --add` writes; ":" stands for the local administrator.
  const diversions = inside(root, `/${DPKG}/diversions`);
  const there = existsSync(diversions) ? readFileSync(diversions, 'utf8') : '';
  writeWithMode(diversions, `${there}${INITRAMFS}\n${INITRAMFS}.distrib\n:\n`, 0o644);
}

/** Host path of a path in the tree, whose folder must not be led elsewhere by a link. */
export function inside(root: string, path: string): string {
  const folder = realpathSync(join(root, dirname(path)));
  if (folder !== join(realpathSync(root), dirname(path))) {
    throw new IngotError(
      'apt/bad-package',
      `${dirname(path)} leads to ${folder} after unpacking; expected a plain folder`,
      {
        hint: 'A package of the list replaces a folder of the system by a link: leave it out.',
      },
    );
  }
  return join(root, path);
}
