import { mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { release } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { IngotError } from '../core/error.ts';
import type { Mount, OverlaySpec, RunOptions, RunResult } from '../core/host.ts';
import { dropLease, takeLease } from './lease.ts';
import { launch } from './process.ts';

/**
 * Off, so that an upper directory can be read without the kernel that wrote it: no renames by reference, no
 * files without content, no index (Documentation/filesystems/overlayfs.rst).
 */
const PLAIN = 'index=off,metacopy=off,redirect_dir=off,xino=off';

export type Run = (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;

/**
 * Runs a command that starts no other, so without a lease of its own: what gives back must work on a full disk, where
 * no lease can be written.
 */
export const runAlone: Run = async (command, args, options = {}) =>
  await launch(command, args, options).ended;

/** What mounting needs of its host. */
export interface Mounter {
  readonly leaseDir: string;
  /** Told when a mount could only be detached. */
  readonly busy: (target: string) => void;
}

/**
 * Mounts an overlay. Folders are given to the kernel by short links in a folder of their own: the option string is
 * limited to a page, and paths may hold commas and colons.
 */
export async function mountOverlay(mounter: Mounter, spec: OverlaySpec): Promise<Mount> {
  const links = `${resolve(spec.target)}.links`;
  const lease = takeLease(mounter.leaseDir, 'directory', links);
  try {
    mkdirSync(links, { mode: 0o700 });
    const link = (path: string, name: string): string => {
      symlinkSync(resolve(path), join(links, name));
      return name;
    };
    // The kernel's list begins with the uppermost.
    const lower = spec.lower.map((path, i) => link(path, String(i))).reverse();
    const options = ['nodev', PLAIN, `lowerdir=${lower.join(':')}`];
    if (spec.upper !== undefined && spec.work !== undefined)
      options.push(`upperdir=${link(spec.upper, 'u')}`, `workdir=${link(spec.work, 'w')}`, ...unsynced());
    const args = ['-t', 'overlay', 'ingot-overlay', '-o', options.join(',')];
    return await mount(mounter, spec.target, args, links);
  } finally {
    rmSync(links, { recursive: true, force: true });
    dropLease(mounter.leaseDir, lease);
  }
}

/**
 * What is written above is thrown away unless it is taken over as a whole: that a package manager has every file of it
 * synced is only waiting (overlayfs.rst, "Volatile mount"; from Linux 5.10 on).
 */
function unsynced(): string[] {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 5 || (major === 5 && minor >= 10) ? ['volatile'] : [];
}

/** Mounts a tmpfs of `size` bytes. */
export async function mountTmpfs(mounter: Mounter, target: string, size: number): Promise<Mount> {
  const options = `size=${size},mode=0755,nodev`;
  return await mount(mounter, target, ['-t', 'tmpfs', 'ingot-tmpfs', '-o', options]);
}

/** Mounts at the real path of `target`: that is how the kernel's table names it. */
export async function mount(
  { leaseDir, busy }: Mounter,
  target: string,
  args: readonly string[],
  cwd = '/',
): Promise<Mount> {
  const real = realpathSync(target);
  const lease = takeLease(leaseDir, 'mount', real);
  try {
    // mount(8) from 2.39 on cuts the options into strings of 256 bytes otherwise (fsconfig(2)).
    await runAlone('mount', [...args, '--', real], { cwd, env: { LIBMOUNT_FORCE_MOUNT2: 'always' } });
  } catch (error) {
    dropLease(leaseDir, lease);
    throw error;
  }
  let released: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    if (await unmount(real)) busy(target);
    dropLease(leaseDir, lease);
  };
  return {
    target,
    [Symbol.asyncDispose]: () => (released ??= release()),
  };
}

/**
 * Unmounts `target` and everything below it. What stays busy for half a second is detached, and goes when its
 * last user ends: then the answer is true.
 */
export async function unmount(target: string): Promise<boolean> {
  const umount = (...options: string[]) =>
    runAlone('umount', ['--recursive', ...options, '--', target], { okCodes: 'any' });
  for (let attempt = 0; attempt < 10; attempt++) {
    if (!isMounted(target)) return false;
    if ((await umount()).exitCode !== 0) await delay(50);
  }
  if (!isMounted(target)) return false;
  const { exitCode, stderr } = await umount('--lazy');
  if (exitCode !== 0 && isMounted(target)) {
    throw new IngotError('host/cannot-unmount', `${target} could not be unmounted: ${stderr.trim()}`, {
      hint: 'End what uses it (fuser -vm shows that), then run `ingot clean`.',
    });
  }
  return true;
}

/** Mount points inside a folder, the deepest first (field 5 of mountinfo, proc(5)). */
export function mountsBelow(dir: string): string[] {
  return mountPoints()
    .filter((path) => path.startsWith(`${dir}/`))
    .sort((a, b) => b.length - a.length);
}

/** Whether something is mounted on exactly this folder. */
export function isMounted(target: string): boolean {
  return mountPoints().includes(target);
}

function mountPoints(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => unescapeOctal(line.split(' ')[4] ?? ''));
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
