import type { BuildEvent } from '../core/event.ts';
import type { MachineNeeds } from '../core/plugin.ts';

/** What all builds of a run may take together. */
export interface Budget {
  /** Builds at once. */
  readonly builds: number;
  /** Bytes of memory of their machines. */
  readonly memory: number;
  /** Processors of their machines. */
  readonly cpus: number;
}

/** What a build waits for. */
export type Shortage = Pick<Extract<BuildEvent, { type: 'build:wait' }>, 'for' | 'needs' | 'taken' | 'of'>;

interface Admitted<T, R> {
  readonly needs: (item: T) => MachineNeeds;
  readonly work: (item: T) => Promise<R>;
  /** Told once of each item that has to wait, with what is short then. */
  readonly onWait: (item: T, shortage: Shortage) => void;
  /** True: nothing more is begun. */
  readonly stopped: () => boolean;
}

/**
 * Runs `work` for all items side by side, in their order as far as the budget goes; a smaller one may overtake. One that
 * needs more than the whole budget runs alone. Failures end nothing; answers how each ended, undefined for what was not
 * begun.
 */
export async function runAdmitted<T, R>(
  items: readonly T[],
  budget: Budget,
  { needs, work, onWait, stopped }: Admitted<T, R>,
): Promise<(PromiseSettledResult<R> | undefined)[]> {
  const results: (PromiseSettledResult<R> | undefined)[] = items.map(() => undefined);
  const waiting = new Set(items.keys());
  const running = new Map<number, Promise<void>>();
  const told = new Set<number>();
  const start = (index: number): void => {
    waiting.delete(index);
    const task = Promise.allSettled([work(items[index] as T)]).then(([result]) => {
      results[index] = result;
      running.delete(index);
    });
    running.set(index, task);
  };
  while (waiting.size > 0 || running.size > 0) {
    for (const index of waiting) {
      if (stopped()) waiting.clear();
      else {
        const inUse = [...running.keys()].map((i) => needs(items[i] as T));
        const shortage = shortageOf(needs(items[index] as T), inUse, budget);
        if (!shortage) start(index);
        else if (!told.has(index)) {
          told.add(index);
          onWait(items[index] as T, shortage);
        }
      }
    }
    if (running.size > 0) await Promise.race(running.values());
  }
  return results;
}

/** What is short for one more build, if anything is. */
function shortageOf(
  needs: MachineNeeds,
  inUse: readonly MachineNeeds[],
  budget: Budget,
): Shortage | undefined {
  if (inUse.length === 0) return undefined;
  const short = (what: Shortage['for'], needed: number, taken: number, of: number): Shortage | undefined =>
    needed > 0 && taken + needed > of ? { for: what, needs: needed, taken, of } : undefined;
  const sum = (what: keyof MachineNeeds): number => inUse.reduce((all, one) => all + one[what], 0);
  return (
    short('builds', 1, inUse.length, budget.builds) ??
    short('memory', needs.memory, sum('memory'), budget.memory) ??
    short('cpus', needs.cpus, sum('cpus'), budget.cpus)
  );
}
