import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { IngotError } from '../core/error.ts';
import type { Host, LeaseKind } from '../core/host.ts';
import { dropLease, LEASE_VARIABLE, type Lease, orphanedLeases } from './lease.ts';
import { isMounted, mountsBelow, type Run, unmount } from './mount.ts';

/** Something that a killed run had left behind. */
export interface Recovered {
  readonly kind: LeaseKind;
  readonly target: string;
}

/**
 * Gives back everything whose owner is gone: ends processes, unmounts, removes scratch folders. What belongs to a
 * living run is not touched. Leases whose thing was gone already are dropped in silence. What fails keeps its
 * lease, and is thrown together (`host/not-recovered`) when everything else was given back.
 */
export async function recover(leaseDir: string, host: Pick<Host, 'run'>): Promise<Recovered[]> {
  const recovered: Recovered[] = [];
  const run: Run = (command, args, options) => host.run(command, args, options);
  const failures: { readonly lease: Lease; readonly cause: unknown }[] = [];
  for (const lease of orphanedLeases(leaseDir)) {
    try {
      if (await giveBack(lease, run)) recovered.push({ kind: lease.kind, target: lease.target });
      dropLease(leaseDir, lease);
    } catch (cause) {
      failures.push({ lease, cause });
    }
  }
  if (failures.length > 0) throw notRecovered(failures);
  return recovered;
}

function notRecovered(failures: readonly { readonly lease: Lease; readonly cause: unknown }[]): IngotError {
  const reasons = failures.map(({ lease, cause }) => `${lease.kind} ${lease.target}: ${String(cause)}`);
  return new IngotError('host/not-recovered', `a killed run left behind what could not be taken down`, {
    hint: 'Remove what stands in the way (see below), then run `ingot clean`.',
    output: reasons,
    cause: failures[0]?.cause,
  });
}

async function giveBack(lease: Lease, run: Run): Promise<boolean> {
  switch (lease.kind) {
    case 'process':
      return await endProcesses(lease);
    case 'mount':
      if (!isMounted(lease.target)) return false;
      await unmount(run, lease.target);
      return true;
    case 'directory': {
      if (!existsSync(lease.target)) return false;
      // A mount that is still inside would lose its content with the folder.
      for (const path of mountsBelow(realpathSync(lease.target))) await unmount(run, path);
      // What the kernel ends with its killed parent may still be on its way out, and write.
      await rm(lease.target, { recursive: true, force: true, maxRetries: 6, retryDelay: 100 });
      return true;
    }
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
