import { availableParallelism, freemem } from 'node:os';

/** What the host has to give. */
export interface HostRoom {
  readonly cores: number;
  /** Bytes that programs can get without swapping. */
  readonly freeMemory: number;
}

/** How the boots of one check share the host. */
export interface Share {
  /** Machines at once. */
  readonly atOnce: number;
  /** Processors of each machine. */
  readonly cpus: number;
}

/** QEMU's own memory beside the guest's: translated code, firmware, buffers. */
const OVERHEAD = 384 * 1024 * 1024;

export function hostRoom(): HostRoom {
  return { cores: availableParallelism(), freeMemory: freemem() };
}

/**
 * As many machines as cores and memory allow, then processors from the cores that are left, at most two each. A boot
 * keeps little more than one core busy, and with emulation a second processor costs more than it brings: machines
 * side by side come first. At least one machine runs, whatever the host has.
 */
export function shareOf(
  boots: number,
  wanted: {
    readonly memory: number;
    readonly cpus: number | undefined;
    readonly parallel: number | undefined;
  },
  room: HostRoom,
): Share {
  const byCores = Math.floor(room.cores / (wanted.cpus ?? 1));
  const byMemory = Math.floor(room.freeMemory / (wanted.memory + OVERHEAD));
  const atOnce = Math.max(1, Math.min(boots, wanted.parallel ?? Math.min(byCores, byMemory)));
  return { atOnce, cpus: wanted.cpus ?? Math.max(1, Math.min(2, Math.floor(room.cores / atOnce))) };
}

/**
 * Runs `work` for every item, `limit` at once, begun in order; `done` hears of each result in the order of `items`.
 * The first failure aborts the signal of the others; it is thrown when all have ended.
 */
export async function sideBySide<T, R>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<R>,
  done: (result: R) => void,
): Promise<R[]> {
  const stop = new AbortController();
  const whole = AbortSignal.any([signal, stop.signal]);
  const results = new Map<number, R>();
  let failure: { readonly error: unknown } | undefined;
  let next = 0;
  let told = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && !whole.aborted) {
      const index = next++;
      try {
        results.set(index, await work(items[index] as T, whole));
        for (; results.has(told); told++) done(results.get(told) as R);
      } catch (error) {
        failure ??= { error };
        stop.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failure) throw failure.error;
  signal.throwIfAborted();
  return items.map((_, index) => results.get(index) as R);
}
