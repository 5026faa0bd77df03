import { readdirSync, readFileSync, rmSync } from 'node:fs';
import type { Host, LeaseKind } from '../core/host.ts';
import { dropLease, LEASE_VARIABLE, type Lease, orphanedLeases } from './lease.ts';
import { isMounted, unmount } from './mount.ts';

/** Something that a killed run had left behind. */
export interface Recovered {
  readonly kind: LeaseKind;
  readonly target: string;
}

/**
 * Gives back everything whose owner is gone: ends processes, unmounts, removes scratch folders. What belongs to a
 * living run is not touched. Leases whose thing was gone already are dropped in silence.
 */
export async function recover(leaseDir: string, host: Pick<Host, 'run'>): Promise<Recovered[]> {
  const recovered: Recovered[] = [];
  for (const lease of orphanedLeases(leaseDir)) {
    if (await giveBack(lease, host)) recovered.push({ kind: lease.kind, target: lease.target });
    dropLease(leaseDir, lease);
  }
  return recovered;
}

async function giveBack(lease: Lease, host: Pick<Host, 'run'>): Promise<boolean> {
  switch (lease.kind) {
    case 'process':
      return await endProcesses(lease);
    case 'mount': {
      if (!isMounted(lease.target)) return false;
      await unmount(host, lease.target);
      return true;
    }
    case 'directory':
      // A mount that is still inside would lose its content with the folder.
      if (mountedBelow(lease.target)) await unmountBelow(lease.target, host);
      rmSync(lease.target, { recursive: true, force: true });
      return true;
    default:
      return false;
  }
}

/** Ends the processes that carry the lease's mark in their environment. */
async function endProcesses(lease: Lease): Promise<boolean> {
  let found = false;
  for (let attempt = 0; attempt < 100; attempt++) {
    const pids = processesOf(lease.id);
    if (pids.length === 0) return found;
    found = true;
    for (const pid of pids) kill(pid);
    await new Promise((done) => setTimeout(done, 20));
  }
  return found;
}

function processesOf(id: string): number[] {
  const mark = `${LEASE_VARIABLE}=${id}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark);
      } catch {
        return false; // ended, or not ours to read
      }
    });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function mountsBelow(target: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${target}/`));
}

function mountedBelow(target: string): boolean {
  return mountsBelow(target).length > 0;
}

async function unmountBelow(target: string, host: Pick<Host, 'run'>): Promise<void> {
  for (const path of mountsBelow(target).sort((a, b) => b.length - a.length)) await unmount(host, path);
}
