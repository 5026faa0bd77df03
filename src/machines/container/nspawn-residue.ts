import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Where systemd-nspawn keeps a folder a container (nspawn-mount.c). */
const PROPAGATE = '/run/systemd/nspawn/propagate';

/** Removes what nspawn leaves of a container that has ended: its own empty folder, where /run is no tmpfs. */
export async function forgetContainer(name: string): Promise<void> {
  await rm(join(PROPAGATE, name), { recursive: true, force: true });
}

/** The same for containers whose Ingot process was killed: its pid is in their names. */
export async function forgetDeadContainers(): Promise<void> {
  // Root's alone, and not there before the first container.
  const names = await readdir(PROPAGATE).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EACCES') return [];
    throw error;
  });
  for (const name of names) {
    const pid = /^ingot-(?:[a-z]+-)?(\d+)-\d+$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await forgetContainer(name);
  }
}

/** Whether nspawn itself says this about that folder, on the command's standard error. */
export function isNspawnChatter(line: string): boolean {
  return line.startsWith(`Attempted to remove disk file system under "${PROPAGATE}/`);
}

/** A command's standard error without nspawn's own words. */
export function withoutChatter(text: string): string {
  return text.includes(PROPAGATE)
    ? text
        .split('\n')
        .filter((line) => !isNspawnChatter(line))
        .join('\n')
    : text;
}
