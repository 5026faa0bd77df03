import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host, Mount, OverlaySpec } from '../core/host.ts';
import { dropLease, takeLease } from './lease.ts';

/**
 * Off, so that an upper directory can be read without the kernel that wrote it: no renames by reference, no
 * files without content, no index (Documentation/filesystems/overlayfs.rst).
 */
const PLAIN = 'index=off,metacopy=off,redirect_dir=off,xino=off';

/**
 * Mounts an overlay. Folders are given to the kernel by short links in a folder of their own: the option string is
 * limited to a page, and paths may hold commas and colons.
 */
export async function mountOverlay(
  host: Pick<Host, 'run'>,
  leaseDir: string,
  spec: OverlaySpec,
): Promise<Mount> {
  const links = mkdtempSync(join(tmpdir(), 'ingot-links-'));
  try {
    // The kernel's list begins with the uppermost.
    const lower = spec.lower.map((path, i) => {
      symlinkSync(path, join(links, String(i)));
      return String(i);
    });
    const options = [`lowerdir=${lower.reverse().join(':')}`, PLAIN];
    if (spec.upper !== undefined && spec.work !== undefined) {
      symlinkSync(spec.upper, join(links, 'u'));
      symlinkSync(spec.work, join(links, 'w'));
      options.push('upperdir=u', 'workdir=w');
    }
    return await mount(
      host,
      leaseDir,
      spec.target,
      ['-t', 'overlay', 'ingot-overlay', '-o', options.join(',')],
      links,
    );
  } finally {
    rmSync(links, { recursive: true });
  }
}

/** Mounts a tmpfs of `size` bytes. */
export async function mountTmpfs(
  host: Pick<Host, 'run'>,
  leaseDir: string,
  target: string,
  size: number,
): Promise<Mount> {
  return await mount(host, leaseDir, target, ['-t', 'tmpfs', 'ingot-tmpfs', '-o', `size=${size},mode=0755`]);
}

async function mount(
  host: Pick<Host, 'run'>,
  leaseDir: string,
  target: string,
  args: readonly string[],
  cwd?: string,
): Promise<Mount> {
  const lease = takeLease(leaseDir, 'mount', target);
  try {
    await host.run('mount', [...args, '--', target], cwd === undefined ? {} : { cwd });
  } catch (error) {
    dropLease(leaseDir, lease);
    throw error;
  }
  let released = false;
  return {
    target,
    async [Symbol.asyncDispose]() {
      if (released) return;
      released = true;
      await unmount(host, target);
      dropLease(leaseDir, lease);
    },
  };
}

/** Unmounts `target` and everything below it; what is busy for long is detached, and goes when its last user ends. */
export async function unmount(host: Pick<Host, 'run'>, target: string): Promise<void> {
  for (let attempt = 0; isMounted(target); attempt++) {
    const lazy = attempt >= 10 ? ['--lazy'] : [];
    const { exitCode } = await host.run('umount', ['--recursive', ...lazy, '--', target], { okCodes: 'any' });
    if (exitCode !== 0) await new Promise((done) => setTimeout(done, 50));
    if (attempt > 12) await host.run('umount', ['--recursive', '--lazy', '--', target]);
  }
}

/** Whether something is mounted on exactly this folder (field 5 of mountinfo, proc(5)). */
export function isMounted(target: string): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => unescapeOctal(line.split(' ')[4] ?? '') === target);
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
