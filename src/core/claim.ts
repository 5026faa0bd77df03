import { readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A claim from where we cannot look for its process is dead after this. */
const FOREIGN_STALE_MS = 60_000;

let nextClaim = 0;

/**
 * A name that tells whether its owner lives: pid, start time of the process, and a mark of the boot and pid
 * namespace in which the pid means anything. No two claims ever share a name, so whoever removes a dead one
 * cannot hit a live one.
 */
export async function claimName(): Promise<string> {
  return `${process.pid}.${await startTime('self')}.${await domain()}.${nextClaim++}`;
}

/** Whether the owner of `<dir>/<name>` is gone; its claim is all of the name or a part. What has none is left alone. */
export async function isDeadClaim(dir: string, name: string, claim = name): Promise<boolean> {
  const match = /^(\d+)\.(\d+)\.([0-9a-f-]+)\.\d+$/.exec(claim);
  if (!match?.[1]) return false;
  if (match[3] !== (await domain())) {
    const age = await stat(join(dir, name)).then((s) => Date.now() - s.mtimeMs, orAbsent(0));
    return age > FOREIGN_STALE_MS;
  }
  const started = await startTime(match[1]).catch(orAbsent(undefined));
  return started !== match[2];
}

/** Field 22 of /proc/<pid>/stat (proc(5)); the name before it may hold anything but ends with the last `)`. */
async function startTime(pid: string): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** Boot id and pid namespace of this process. */
async function domain(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  const namespace = /\d+/.exec(await readlink('/proc/self/ns/pid'))?.[0] ?? '0';
  return `${boot.trim()}-${namespace}`;
}

/** For files that another process may have removed first, and what the kernel tells of one that has ended. */
function orAbsent<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return value;
    throw error;
  };
}
