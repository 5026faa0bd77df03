import { IngotError } from '../core/error.ts';
import type { DiskRoot } from './find-root.ts';
import { runAlone } from './mount.ts';

const SECTOR = 512;

/**
 * Gives a root partition the room behind it, where it is the last one, as cloud-init's growpart does at a first start.
 * Answers whether there was any. The table's copy at the end of a GPT disk moves to the new end.
 */
export async function growPartition(disk: string, root: DiskRoot): Promise<boolean> {
  const { stdout, exitCode } = await runAlone('sfdisk', ['--dump', '--', disk], { okCodes: 'any' });
  // Without partitions the filesystem has the whole disk.
  if (exitCode !== 0) return true;
  const script = grownTable(stdout, root.offset / SECTOR);
  if (script === undefined) return false;
  await runAlone('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', '--force', '--', disk], {
    input: script,
  });
  return true;
}

/** A table as sfdisk(8) dumps it, whose partition at `start` (sectors) goes up to the end; undefined where others lie behind it. */
export function grownTable(dump: string, start: number): string | undefined {
  const starts = [...dump.matchAll(/start=\s*(\d+)/g)].map((match) => Number(match[1]));
  if (!starts.includes(start) || starts.some((other) => other > start)) return undefined;
  return dump
    .split('\n')
    .filter((line) => !line.startsWith('last-lba:'))
    .map((line) => (startOf(line) === start ? line.replace(/,\s*size=\s*\d+/, '') : line))
    .join('\n');
}

function startOf(line: string): number {
  return Number(/start=\s*(\d+)/.exec(line)?.[1] ?? Number.NaN);
}

/** Makes an ext4 filesystem that is not mounted as large as its device. */
export async function growExt4(device: string): Promise<void> {
  // resize2fs wants to know that it is whole; 1: errors were found and corrected (e2fsck(8)).
  await grow('e2fsck', ['-f', '-p', device], [0, 1]);
  await grow('resize2fs', [device], [0]);
}

/** Makes a mounted xfs filesystem as large as its device: there is no other way. */
export async function growXfs(target: string): Promise<void> {
  await grow('xfs_growfs', [target], [0]);
}

async function grow(tool: string, args: readonly string[], good: readonly number[]): Promise<void> {
  const { exitCode, stdout, stderr } = await runAlone(tool, args, { okCodes: 'any' });
  if (good.includes(exitCode)) return;
  throw new IngotError('disk/cannot-grow', `the root filesystem could not be made larger: ${tool} failed`, {
    hint: 'Is the filesystem whole (fsck)? Set skip_resize_disk = true to leave it as it is.',
    output: `${stdout}\n${stderr}`.trim().split('\n').slice(-10),
  });
}
