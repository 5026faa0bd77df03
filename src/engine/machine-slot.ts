import type { Context } from '../core/context.ts';
import type { Digest } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import type { LayerCache, LayerChain } from '../core/layer.ts';
import type { GeneratedData, LeftMachine, Machine } from '../core/machine.ts';
import type { Source } from '../core/plugin.ts';
import { memoryId } from './memory-layer.ts';

/** The one machine of an image, kept between provisioners as long as it stands on the right layers. */
export class MachineSlot implements AsyncDisposable {
  readonly #source: Source<never>;
  readonly #options: unknown;
  readonly #cache: Pick<LayerCache, 'lookup'>;
  #machine: Machine | undefined;
  #generated: GeneratedData = new Map();
  #top: Digest | undefined;
  #memory: Promise<void> = Promise.resolve();

  constructor(source: Source<never>, options: unknown, cache: Pick<LayerCache, 'lookup'>) {
    this.#source = source;
    this.#options = options;
    this.#cache = cache;
  }

  /** A machine with the source's first filesystem in the making. */
  async first(ctx: Context): Promise<Machine> {
    await this.#end();
    this.#machine = await this.#source.start(this.#options as never, undefined, ctx);
    this.#generated = this.#machine.generated;
    return this.#machine;
  }

  /** A machine on exactly these layers: the one at hand, or a new one. */
  async on(chain: LayerChain, ctx: Context): Promise<Machine> {
    const top = chain.at(-1)?.id;
    if (this.#machine && this.#top === top && top !== undefined) return this.#machine;
    await this.#end();
    const memory = top && (await this.#cache.lookup(memoryId(top)));
    this.#machine = await this.#source.start(this.#options as never, chain, ctx, memory);
    this.#generated = this.#machine.generated;
    this.#top = top;
    return this.#machine;
  }

  /** The machine that is there; for sources that go on in one machine from start to end. */
  running(): Machine {
    if (!this.#machine) throw new IngotError('internal/unexpected', 'the machine of this build has ended');
    return this.#machine;
  }

  /** What the last machine generated, also after its end. */
  get generated(): GeneratedData {
    return this.#generated;
  }

  /** Says that the machine's changes were committed as the layer `top`. It is not ended before `memory` has its own. */
  committed(top: Digest, memory: Promise<void>): void {
    this.#top = top;
    this.#memory = memory;
  }

  /** The machine, whatever its state; for the error-cleanup provisioner. */
  get current(): Machine | undefined {
    return this.#machine;
  }

  /** Lets go of the machine and keeps it for a look (`-on-error=abort`). */
  async leave(): Promise<LeftMachine | undefined> {
    const machine = this.#machine;
    if (!machine?.leave) return undefined;
    await this.#memory;
    const left = await machine.leave();
    if (left) this.#forget();
    return left;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  /** Throws away a machine whose changes are not to be kept. */
  async reset(): Promise<void> {
    await this.#end();
  }

  #forget(): void {
    this.#machine = undefined;
    this.#top = undefined;
  }

  async #end(): Promise<void> {
    const machine = this.#machine;
    this.#forget();
    await this.#memory;
    await machine?.[Symbol.asyncDispose]();
  }
}

/** The machine's snapshot, or an error that says why this source can't be cached step by step. */
export function snapshotOf(machine: Machine): NonNullable<Machine['snapshot']> {
  if (!machine.snapshot) {
    throw new IngotError('engine/no-snapshot', `a ${machine.kind} machine cannot hand over a layer`, {
      hint: 'This source runs its build as a whole; it cannot stand in an image with cached steps.',
    });
  }
  return machine.snapshot.bind(machine);
}
