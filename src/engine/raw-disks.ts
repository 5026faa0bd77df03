import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import type { Digest } from '../core/digest.ts';
import { type Layer, type LayerChain, layerFile } from '../core/layer.ts';
import { Scope } from '../core/scope.ts';
import type { Rooms } from './environment.ts';

/** Name of the raw disk in a disk step's layer. */
export const RAW_DISK = 'disk.raw';

/** A finished disk. */
export interface DiskSubject {
  /** Of the disk step. */
  readonly layer: Layer;
  /** Of a disk image: the layers that it consists of; no raw file of it is kept. */
  readonly chain?: LayerChain;
}

/**
 * Disks as raw files, for tests and for formats that are made from one. That of a disk image is written when it is first
 * asked for, and lasts as long as the build: its layers hold the same bytes.
 */
export class RawDisks implements AsyncDisposable {
  readonly #rooms: Pick<Rooms, 'flattenDisk'>;
  readonly #made = new Map<Digest, Promise<string>>();
  readonly #scope = new Scope();

  constructor(rooms: Pick<Rooms, 'flattenDisk'>) {
    this.#rooms = rooms;
  }

  /** The path of the raw file; whoever asks later waits for the same one. */
  async pathOf({ layer, chain }: DiskSubject, ctx: Context): Promise<string> {
    if (!chain) return layerFile(layer, RAW_DISK);
    const made = this.#made.get(layer.id) ?? this.#flatten(chain, ctx);
    this.#made.set(layer.id, made);
    try {
      return await made;
    } catch (error) {
      // A step that is tried again gets another one.
      this.#made.delete(layer.id);
      throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scope[Symbol.asyncDispose]();
  }

  async #flatten(chain: LayerChain, ctx: Context): Promise<string> {
    const scratch = this.#scope.use(await ctx.host.scratch(ctx.workDir, 'raw-'), 'folder of a raw disk');
    const target = join(scratch.dir, RAW_DISK);
    await this.#rooms.flattenDisk(chain, target, ctx);
    return target;
  }
}
