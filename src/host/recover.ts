import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { IngotError } from '../core/error.ts';
import type { LeaseKind } from '../core/host.ts';
import { dropLease, isAlive, LEASE_VARIABLE, type Lease, leasesIn, orphanedLeases } from './lease.ts';
import { detachLoops } from './loop.ts';
import { isMounted, mountsBelow, runAlone, unmount } from './mount.ts';
import { removeFolder } from './remove-folder.ts';

/** Something that a killed run had left behind. */
export interface Recovered {
  readonly kind: LeaseKind | 'file';
  readonly target: string;
}

/**
 * Gives back everything whose owner is gone: ends processes, unmounts, removes scratch folders, also those in
 * `staging` of which no lease speaks. What belongs to a living run is not touched. Leases whose thing was gone already
 * are dropped in silence. What fails keeps its lease, and is thrown together (`host/not-recovered`) when everything
 * else was given back.
 */
export async function recover(leaseDir: string, staging?: string): Promise<Recovered[]> {
  const recovered: Recovered[] = [];
  const failures: { readonly lease: Pick<Lease, 'kind' | 'target'>; readonly cause: unknown }[] = [];
  for (const lease of orphanedLeases(leaseDir)) {
    try {
      if (await giveBack(lease)) recovered.push({ kind: lease.kind, target: lease.target });
      dropLease(leaseDir, lease);
    } catch (cause) {
      failures.push({ lease, cause });
    }
  }
  for (const target of staging === undefined ? [] : unleased(staging, leaseDir)) {
    try {
      await clear(target);
      recovered.push({ kind: 'directory', target });
    } catch (cause) {
      failures.push({ lease: { kind: 'directory', target }, cause });
    }
  }
  if (failures.length > 0) throw notRecovered(failures);
  return recovered;
}

/** Pids of the living Ingot processes that hold leases, without ourselves. */
export function livingOwners(leaseDir: string): number[] {
  const alive = leasesIn(leaseDir).filter(({ owner }) => owner.pid !== process.pid && isAlive(owner));
  return [...new Set(alive.map(({ owner }) => owner.pid))].sort((a, b) => a - b);
}

/**
 * What lies in a folder of scratch folders and in no lease. A lease is there before its folder is, so what was there
 * when we looked, and has none after, belongs to nobody.
 */
function unleased(staging: string, leaseDir: string): string[] {
  const there = existsSync(staging) ? readdirSync(staging).sort() : [];
  const leased = new Set(leasesIn(leaseDir).map((lease) => lease.target));
  return there.map((name) => join(staging, name)).filter((path) => !leased.has(path));
}

function notRecovered(
  failures: readonly { readonly lease: Pick<Lease, 'kind' | 'target'>; readonly cause: unknown }[],
): IngotError {
  const reasons = failures.map(({ lease, cause }) => `${lease.kind} ${lease.target}: ${String(cause)}`);
  return new IngotError('host/not-recovered', `a killed run left behind what could not be taken down`, {
    hint: 'Remove what stands in the way (see below), then run `ingot clean`.',
    output: reasons,
    cause: failures[0]?.cause,
  });
}

async function giveBack(lease: Lease): Promise<boolean> {
  switch (lease.kind) {
    case 'process':
      return await endProcesses(lease);
    case 'mount':
      if (!isMounted(lease.target)) return false;
      await unmount(lease.target);
      return true;
    case 'loop':
      return await detachLoops(runAlone, lease.target);
    case 'directory':
      if (!existsSync(lease.target)) return false;
      await clear(lease.target);
      return true;
    default:
      return false;
  }
}

async function clear(path: string): Promise<void> {
  // A mount that is still inside would lose its content with the folder.
  for (const mounted of mountsBelow(realpathSync(path))) await unmount(mounted);
  await removeFolder(path);
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
