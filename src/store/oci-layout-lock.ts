import { mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { IngotError } from '../core/error.ts';
import { claimName, isDeadClaim } from '../core/claim.ts';

const WAIT_MS = 30_000;

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

/** For files that another process may have removed first. */
function orAbsent<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}
