import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LeaseKind } from '../core/host.ts';

/** A note on disk that something was taken, written before it is taken, removed when it was given back. */
export interface Lease {
  readonly id: string;
  readonly kind: LeaseKind;
  /** Mount point or folder; for a process, its command. */
  readonly target: string;
  /** The Ingot process that holds it. A pid alone may be another process by now. */
  readonly owner: { readonly pid: number; readonly started: string; readonly boot: string };
}

/** Marks the processes of a lease in their environment, since a lease is written before there is a pid. */
export const LEASE_VARIABLE = 'INGOT_LEASE';

/** Ends the name of a lease that is being written. */
const UNFINISHED = '.part';
const UNFINISHED_MS = 60_000;

/** Writes a lease; the file is on disk when this returns, but for a process: that does not outlive the machine's crash. */
export function takeLease(dir: string, kind: LeaseKind, target: string): Lease {
  const lease: Lease = {
    id: randomUUID(),
    kind,
    target,
    owner: { pid: process.pid, started: startTime(process.pid) ?? '', boot: bootId() },
  };
  mkdirSync(dir, { recursive: true });
  const path = pathOf(dir, lease);
  const temporary = `${path}${UNFINISHED}`;
  try {
    writeFileSync(temporary, JSON.stringify(lease), { flag: 'wx', mode: 0o600, flush: kind !== 'process' });
    // Another process that looks sees all of it, or nothing: half of one it would take for what a killed run left.
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return lease;
}

/** Forgets a lease whose thing was given back. */
export function dropLease(dir: string, lease: Lease): void {
  rmSync(pathOf(dir, lease), { force: true });
}

/**
 * All leases. What was half written when its process was killed, or the machine crashed, is removed: nothing had been taken
 * yet, or nothing of it is left.
 */
export function leasesIn(dir: string): Lease[] {
  const names = namesIn(dir);
  for (const name of names.filter((n) => n.endsWith(UNFINISHED))) dropAbandoned(join(dir, name));
  return names.flatMap((name) => {
    if (!name.endsWith('.json')) return [];
    const lease = readLease(join(dir, name));
    if (!lease) rmSync(join(dir, name), { force: true });
    return lease ?? [];
  });
}

/** Leases whose owner is gone, in the order in which they can be given back. */
export function orphanedLeases(dir: string): Lease[] {
  const leases = leasesIn(dir).filter((lease) => !isAlive(lease.owner));
  const order: readonly LeaseKind[] = ['process', 'cgroup', 'netns', 'mount', 'loop', 'directory'];
  // Deeper mounts first: what is mounted inside another mount goes before it.
  return leases.sort(
    (a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || b.target.length - a.target.length,
  );
}

/** Whether a process of that pid runs that was started then, in this boot of the machine. */
export function isAlive(owner: Lease['owner']): boolean {
  return owner.boot === bootId() && owner.started !== '' && startTime(owner.pid) === owner.started;
}

/** Field 22 of /proc/PID/stat (proc(5)): clock ticks between boot and the process's start; undefined where there is none. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may hold blanks and parentheses itself.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch (error) {
    // Whoever cannot look, with too many files open, must not take a living one for dead.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function pathOf(dir: string, lease: Lease): string {
  return join(dir, `${lease.id}.json`);
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Writing one takes no time: what is older is nobody's. */
function dropAbandoned(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat && Date.now() - stat.mtimeMs > UNFINISHED_MS) rmSync(path, { force: true });
}

function readLease(path: string): Lease | undefined {
  try {
    const lease = JSON.parse(readFileSync(path, 'utf8')) as Lease;
    const whole =
      typeof lease.id === 'string' &&
      typeof lease.target === 'string' &&
      typeof lease.owner?.pid === 'number';
    return whole ? lease : undefined;
  } catch {
    return undefined;
  }
}
