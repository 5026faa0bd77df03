import { lstatSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { IngotError } from '../core/error.ts';
import { Scope } from '../core/scope.ts';
import { type DiskRoot, rootCandidatesOf } from './find-root.ts';
import { attachLoop } from './loop.ts';
import { mount, type Mounter } from './mount.ts';

/** What may hold a root filesystem, and cannot be opened here. */
const CLOSED = new Set(['LUKS', 'LVM', 'RAID', 'btrfs', 'f2fs', 'squashfs']);

/**
 * The root filesystem of a raw disk: the partition whose type says so, the only one there is, or the largest with a system
 * in it; `dir` is a folder to look into them. Throws `disk/no-root` and names what is there instead, also where the root
 * lies in something that cannot be opened, and the filesystem beside it is only its /boot.
 */
export async function chooseRoot(mounter: Mounter, file: string, dir: string): Promise<DiskRoot> {
  const { candidates, others } = rootCandidatesOf(file);
  const closed = others.filter((name) => CLOSED.has(name));
  const [best] = candidates;
  if (!best) {
    const found = others.join(', ') || 'nothing known';
    throw noRoot(`the disk has no ext4 or xfs filesystem for a root; found ${found}`);
  }
  if (best.isRoot || (candidates.length === 1 && closed.length === 0)) return best;
  for (const candidate of candidates) if (await holdsSystem(mounter, file, dir, candidate)) return candidate;
  if (closed.length === 0) return best;
  const names = [...new Set(candidates.map((one) => one.filesystem))].sort().join(' and ');
  throw noRoot(
    `the disk has ${names} without a system, as a /boot is; its root may lie in ${closed.join(' or ')}`,
  );
}

function noRoot(what: string): IngotError {
  return new IngotError('disk/no-root', what, {
    hint:
      'Images with LVM, LUKS, RAID, btrfs or Windows cannot be mounted here; build them with engine "vm" and seal = "off". ' +
      '`ingot sbom` and `ingot diff` take the folder where you have mounted one, too.',
  });
}

/** Whether a filesystem has /etc and programs. What cannot be mounted has not: where it is the root, mounting it will tell. */
async function holdsSystem(mounter: Mounter, file: string, dir: string, root: DiskRoot): Promise<boolean> {
  await using scope = new Scope();
  const loop = scope.use(await attachLoop(mounter.leaseDir, file, root), 'the loop device');
  const target = join(dir, 'look');
  mkdirSync(target, { mode: 0o700 });
  scope.defer('its folder', () => rmdirSync(target));
  // Without its journal, which would be written back.
  const options = root.filesystem === 'xfs' ? 'ro,nodev,nouuid,norecovery' : 'ro,nodev,noload';
  const mounted = await mount(mounter, target, ['-t', root.filesystem, '-o', options, loop.device]).catch(
    () => undefined,
  );
  if (!mounted) return false;
  scope.use(mounted, 'a filesystem');
  const has = (name: string): boolean =>
    lstatSync(join(target, name), { throwIfNoEntry: false }) !== undefined;
  return has('etc') && (has('usr') || has('bin'));
}
