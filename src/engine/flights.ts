import type { Digest } from '../core/digest.ts';

/**
 * Steps that builds of one run are making. Two builds often begin alike, such as one image for several clouds: the first
 * that comes to a step makes it, and the others take its layer from the cache.
 */
export class Flights {
  readonly #running = new Map<Digest, Promise<void>>();
  readonly #made = new Set<Digest>();

  /** Settles when the build that makes this step now has ended with it, in whatever way; undefined where none does. */
  running(id: Digest): Promise<void> | undefined {
    return this.#running.get(id);
  }

  /** Whether this run has made the step. */
  made(id: Digest): boolean {
    return this.#made.has(id);
  }

  /** Its layer is not in the cache any more. */
  lost(id: Digest): void {
    this.#made.delete(id);
  }

  /** Makes a step for all who need it. Answers whether it is made. */
  async make(id: Digest, work: () => Promise<boolean>): Promise<boolean> {
    let land = (): void => {};
    this.#running.set(id, new Promise((resolve) => (land = resolve)));
    try {
      const isMade = await work();
      if (isMade) this.#made.add(id);
      return isMade;
    } finally {
      this.#running.delete(id);
      land();
    }
  }
}

/** Waits for what another does, and no longer than this build goes on. */
export async function untilAborted(flight: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const done = new AbortController();
  const aborted = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { signal: done.signal }),
  );
  await Promise.race([flight, aborted]);
  done.abort();
  signal.throwIfAborted();
}
