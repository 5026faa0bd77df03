import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
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

/** Writes a lease; the file is on disk when this returns, but for a process: that does not outlive the machine's crash. */
export function takeLease(dir: string, kind: LeaseKind, target: string): Lease {
  const lease: Lease = {
    id: randomUUID(),
    kind,
    target,
    owner: { pid: process.pid, started: startTime(process.pid) ?? '', boot: bootId() },
  };
  mkdirSync(dir, { recursive: true });
  const file = openSync(pathOf(dir, lease), 'wx', 0o600);
  try {
    writeSync(file, JSON.stringify(lease));
    if (kind !== 'process') fsyncSync(file);
  } catch (error) {
    dropLease(dir, lease);
    throw error;
  } finally {
    closeSync(file);
  }
  return lease;
}

/** Forgets a lease whose thing was given back. */
export function dropLease(dir: string, lease: Lease): void {
  rmSync(pathOf(dir, lease), { force: true });
}

/** All leases. Unreadable files are leases half written, for which nothing was taken yet: they are removed. */
export function leasesIn(dir: string): Lease[] {
  return namesIn(dir).flatMap((name) => {
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

/** Field 22 of /proc/PID/stat (proc(5)): clock ticks between boot and the process's start. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may hold blanks and parentheses itself.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
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
    return readdirSync(dir).filter((n) => n.endsWith('.json'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
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
