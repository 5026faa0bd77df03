import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Where systemd-nspawn keeps a folder a container (nspawn-mount.c). */
const PROPAGATE = '/run/systemd/nspawn/propagate';

/** Removes what nspawn leaves of a container that has ended: its own empty folder, where /run is no tmpfs. */
export async function forgetContainer(name: string): Promise<void> {
  await rm(join(PROPAGATE, name), { recursive: true, force: true });
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
