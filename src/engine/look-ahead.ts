import type { Context } from '../core/context.ts';
import { note } from '../core/context.ts';
import type { LayerChain } from '../core/layer.ts';
import type { Rooms } from './environment.ts';

/**
 * The search of what an image starts from, while the machine on it runs: the seal has to read only what changed then. Nothing
 * depends on it but time. Dispose stops it.
 */
export class LookAhead implements AsyncDisposable {
  readonly #rooms: Pick<Rooms, 'searchAhead'>;
  readonly #stop = new AbortController();
  #work: Promise<unknown> = Promise.resolve();

  constructor(rooms: Pick<Rooms, 'searchAhead'>) {
    this.#rooms = rooms;
  }

  /** Begins with the layers of `chain`; `options` are those of the seal. */
  begin(chain: LayerChain, options: unknown, ctx: Context): void {
    const signal = AbortSignal.any([ctx.signal, this.#stop.signal]);
    const search = this.#rooms.searchAhead(chain, options, { ...ctx, signal }).catch((error: unknown) => {
      if (!signal.aborted)
        note(ctx, `what the image starts from is searched later: ${(error as Error).message}`);
    });
    // A source that is tried again begins another one, beside the first.
    this.#work = Promise.all([this.#work, search]);
  }

  /** Waits for what has begun. */
  async ended(): Promise<void> {
    await this.#work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }
}
