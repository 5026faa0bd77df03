import { mkdir, open, readdir, readFile, readlink, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { IngotError } from '../core/error.ts';

/** Index updates take milliseconds; a claim from where we cannot look for its process is dead after this. */
const FOREIGN_STALE_MS = 60_000;
const WAIT_MS = 30_000;

let nextClaim = 0;

/**
 * A name that tells whether its owner lives: pid, start time of the process, and a mark of the boot and pid
 * namespace in which the pid means anything. No two claims ever share a name, so whoever removes a dead one
 * cannot hit a live one.
 */
export async function claimName(): Promise<string> {
  return `${process.pid}.${await startTime('self')}.${await domain()}.${nextClaim++}`;
}

/** Whether the owner of `<dir>/<name>` is gone. A name that is no claim of ours is left alone. */
export async function isDeadClaim(dir: string, name: string): Promise<boolean> {
  const match = /^(\d+)\.(\d+)\.([0-9a-f-]+)\.\d+$/.exec(name);
  if (!match?.[1]) return false;
  if (match[3] !== (await domain())) {
    const age = await stat(join(dir, name)).then((s) => Date.now() - s.mtimeMs, orAbsent(0));
    return age > FOREIGN_STALE_MS;
  }
  const started = await startTime(match[1]).catch(() => undefined);
  return started !== match[2];
}

/**
 * Runs `work` while no other process, and no other call, does the same on `dir`. Everyone puts down a claim first
 * and looks for others after; of two at once at least one sees the other and steps back. Claims of killed
 * processes do not count. Throws `store/locked` after 30 s.
 */
export async function withLock<T>(dir: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dir, { recursive: true });
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const claim = await claimName();
    const path = join(dir, claim);
    await (await open(path, 'wx', 0o644)).close();
    try {
      const others = await liveClaims(dir, claim);
      if (others.length === 0) return await work();
      if (performance.now() > deadline) throw locked(dir, others);
    } finally {
      await unlink(path);
    }
    await delay(5 + Math.random() * 45);
  }
}

async function liveClaims(dir: string, own: string): Promise<string[]> {
  const live: string[] = [];
  for (const name of await readdir(dir)) {
    if (name === own) continue;
    if (await isDeadClaim(dir, name)) await unlink(join(dir, name)).catch(orAbsent(undefined));
    else live.push(name);
  }
  return live;
}

function locked(dir: string, others: readonly string[]): IngotError {
  const pids = others.map((name) => name.split('.')[0]).join(', ');
  return new IngotError('store/locked', `the release store stayed locked for 30 s by process ${pids}`, {
    hint: `Wait for it to end. If there is no such process, remove ${dir}.`,
  });
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

/** For files that another process may have removed first. */
function orAbsent<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}
