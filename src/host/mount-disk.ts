import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { IngotError } from '../core/error.ts';
import type { DiskMountSpec, Host, HostProcess, Mount } from '../core/host.ts';
import { Scope } from '../core/scope.ts';
import { chooseRoot } from './choose-root.ts';
import { type DiskRoot, rootCandidatesOf } from './find-root.ts';
import { growExt4, growPartition, growXfs } from './grow-root.ts';
import { dropLease, takeLease } from './lease.ts';
import { attachLoop } from './loop.ts';
import { isMounted, mount, type Mounter, unmount } from './mount.ts';
import { blockNode, escapeOption } from './qemu-command.ts';

const READY_MS = 30_000;
/** An image may have much to write when it is closed. */
const CLOSE_MS = 120_000;

/**
 * Mounts the root filesystem of a disk image. qemu-storage-daemon shows the image as a raw file (a FUSE export, whose
 * file keeps the name it has); a loop device on its root partition is mounted. `spec.dir` gets `disk` and `root`.
 */
export async function mountDisk(host: Mounter & Pick<Host, 'start'>, spec: DiskMountSpec): Promise<Mount> {
  await using scope = new Scope();
  const file = join(realpathSync(spec.dir), 'disk');
  writeFileSync(file, '', { mode: 0o600 });
  scope.use(await exportDisk(host, spec, file), 'the disk as a file');
  const before = await chooseRoot(host, file, spec.dir);
  const isLarger = spec.grow === true && (await growPartition(file, before));
  const root = isLarger ? (grownRoot(file, before) ?? before) : before;
  const loop = scope.use(await attachLoop(host.leaseDir, file, root), 'the loop device');
  if (isLarger && root.filesystem === 'ext4') await growExt4(loop.device);
  const target = join(spec.dir, 'root');
  mkdirSync(target, { mode: 0o755 });
  const args = ['-t', root.filesystem, '-o', optionsOf(root.filesystem), loop.device];
  scope.use(await mount(host, target, args), 'the root filesystem');
  if (isLarger && root.filesystem === 'xfs') await growXfs(target);
  const held = scope.move();
  let released: Promise<void> | undefined;
  return { target, [Symbol.asyncDispose]: () => (released ??= held[Symbol.asyncDispose]()) };
}

/** The same partition in the new table. */
function grownRoot(file: string, { offset }: DiskRoot): DiskRoot | undefined {
  return rootCandidatesOf(file).candidates.find((root) => root.offset === offset);
}

/** All that is written goes to the daemon, which closes the image whole: nobody has to wait for a disk on the way. */
function optionsOf(filesystem: DiskRoot['filesystem']): string {
  return `nodev,noatime,${filesystem === 'xfs' ? 'nouuid' : 'barrier=0'}`;
}

async function exportDisk(
  { leaseDir, start }: Mounter & Pick<Host, 'start'>,
  { disk }: DiskMountSpec,
  file: string,
): Promise<AsyncDisposable> {
  const lease = takeLease(leaseDir, 'mount', file);
  let daemon: HostProcess | undefined;
  const release = async (): Promise<void> => {
    if (daemon) await close(daemon);
    if (isMounted(file)) await unmount(file);
    dropLease(leaseDir, lease);
  };
  try {
    daemon = await start('qemu-storage-daemon', [
      '--blockdev',
      JSON.stringify({ 'node-name': 'disk', ...blockNode({ ...disk, volatile: true }) }),
      '--export',
      `type=fuse,id=export,node-name=disk,mountpoint=${escapeOption(file)},writable=on`,
    ]);
    await mounted(file, daemon);
  } catch (error) {
    await release();
    throw error;
  }
  return { [Symbol.asyncDispose]: release };
}

async function mounted(file: string, daemon: HostProcess): Promise<void> {
  let failed: string | undefined;
  daemon.ended.then(
    ({ stderr }) => {
      failed = stderr.trim();
    },
    (error: unknown) => {
      failed = String(error);
    },
  );
  const deadline = performance.now() + READY_MS;
  while (!isMounted(file)) {
    if (failed !== undefined || performance.now() > deadline) {
      throw new IngotError(
        'disk/cannot-open',
        `the disk image could not be opened: ${failed ?? 'no answer'}`,
        {
          hint: 'Is it whole (`qemu-img check`), is it in use, and does the kernel have FUSE (/dev/fuse)?',
        },
      );
    }
    await delay(20);
  }
}

/** The daemon writes what it still holds, and ends. */
async function close(daemon: HostProcess): Promise<void> {
  try {
    process.kill(daemon.pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  const timer = new AbortController();
  const late = delay(CLOSE_MS, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([daemon.ended.catch(() => undefined), late]);
  timer.abort();
  await daemon[Symbol.asyncDispose]();
}
