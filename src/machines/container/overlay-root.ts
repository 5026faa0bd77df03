import { lstatSync, mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Mount } from '../../core/host.ts';
import { layerFs, type StagedLayer } from '../../core/layer.ts';
import type { Rootfs } from '../../core/rootfs.ts';
import { clampTimes } from '../../host/clamp-times.ts';
import { openRootfs } from '../../host/index.ts';
import type { ContainerRoot, Leave } from './root.ts';

/**
 * The root of a container: an overlay whose lower folders grow by one with every snapshot. Mounted when first
 * needed, so that a snapshot's layer may be renamed in between.
 */
export class OverlayRoot implements ContainerRoot {
  readonly kind = 'overlay';
  readonly #host: Host;
  readonly #dir: string;
  readonly #lower: string[];
  #upper: string;
  #mount: Mount | undefined;
  #round = 0;

  constructor(host: Host, dir: string, lower: readonly string[], upper: string | undefined) {
    this.#host = host;
    this.#dir = dir;
    mkdirSync(join(dir, 'empty'), { mode: 0o755 });
    mkdirSync(join(dir, 'view'), { mode: 0o755 });
    this.#lower = [join(dir, 'empty'), ...lower];
    this.#upper = upper ?? this.#freshUpper();
  }

  /** The folder that takes what is written. */
  get upper(): string {
    return this.#upper;
  }

  /** The mounted root. */
  async mounted(): Promise<Rootfs> {
    const target = join(this.#dir, 'view');
    if (!this.#mount) {
      const work = join(this.#dir, `work${this.#round}`);
      mkdirSync(work, { recursive: true });
      this.#mount = await this.#host.mountOverlay({ lower: this.#lower, upper: this.#upper, work, target });
    }
    return openRootfs(target);
  }

  /**
   * Unmounts, takes back what was lent, removes what `residue` names where it is still an empty file of the upper
   * folder, clamps times, and moves what was written into the layer. Later changes go on top of it.
   */
  async moveInto(layer: StagedLayer, leave: Leave, epoch: number): Promise<void> {
    const target = layerFs(layer);
    if (this.#mount) for (const file of leave.lent) file.takeBackMounted(openRootfs(this.#mount.target));
    await this.#unmount();
    for (const file of leave.lent.toReversed()) file.takeBackUnmounted(this.#upper);
    const written = openRootfs(this.#upper);
    for (const path of leave.residue) removePlaceholder(written.hostPath(path));
    clampTimes(this.#upper, epoch);
    rmdirSync(target);
    renameSync(this.#upper, target);
    this.#lower.push(layerFs({ dir: layer.committedDir }));
    rmSync(join(this.#dir, `work${this.#round}`), { recursive: true, force: true });
    this.#round++;
    this.#upper = this.#freshUpper();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#unmount();
  }

  async #unmount(): Promise<void> {
    const mount = this.#mount;
    this.#mount = undefined;
    await mount?.[Symbol.asyncDispose]();
  }

  #freshUpper(): string {
    const upper = join(this.#dir, `upper${this.#round}`);
    mkdirSync(upper, { mode: 0o755 });
    return upper;
  }
}

/** Removes the empty file that a bind mount left where it was mounted. */
export function removePlaceholder(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() && stat.size === 0) rmSync(path);
  else if (stat?.isDirectory()) {
    try {
      rmdirSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    }
  }
}
