import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Mount } from '../../core/host.ts';
import type { LayerChain } from '../../core/layer.ts';
import { createOverlay, imageSize } from '../../host/qemu-image.ts';
import type { QemuDisk } from '../../host/qemu-command.ts';
import { chainDisk } from './chain-disk.ts';

/**
 * The root filesystem of a chain of disk images, mounted here. What is written lands in an overlay; the layers below are
 * only read. Mounted when it is first asked for.
 */
export class DiskRoot implements AsyncDisposable {
  readonly #host: Host;
  readonly #dir: string;
  readonly #size: number;
  #chain: LayerChain;
  #mount: Mount | undefined;
  #overlay: string | undefined;
  #round = 0;

  /** `size` in bytes: more than the disk has makes it, and its root filesystem, larger. */
  constructor(host: Host, dir: string, chain: LayerChain, size = 0) {
    this.#size = size;
    this.#host = host;
    this.#dir = dir;
    this.#chain = chain;
  }

  /** Where the root filesystem is. */
  async mounted(): Promise<{ readonly dir: string }> {
    if (!this.#mount) {
      const dir = join(this.#dir, `disk${this.#round++}`);
      mkdirSync(dir);
      const overlay = join(dir, 'overlay.qcow2');
      const below = belowOf(this.#chain);
      const has = await imageSize(below.path);
      const disk = await createOverlay(this.#host, overlay, below, Math.max(has, this.#size));
      this.#mount = await this.#host.mountDisk({ disk, dir, grow: this.#size > has });
      this.#overlay = overlay;
    }
    return { dir: this.#mount.target };
  }

  /** Unmounts it and answers the overlay, which is whole then. Throws `host/command-failed` where not all could be written. */
  async close(): Promise<string> {
    const { dir } = await this.mounted();
    // umount(2) tells nobody of what the host had no room for; syncfs(2) does.
    await this.#host.run('sync', ['--file-system', dir]);
    await this.#unmount();
    return this.#overlay as string;
  }

  /** Goes on above `chain`, which has what was written so far. */
  continueOn(chain: LayerChain): void {
    this.#chain = chain;
    this.#overlay = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#unmount();
    if (this.#overlay !== undefined) rmSync(this.#overlay, { force: true });
  }

  async #unmount(): Promise<void> {
    const mount = this.#mount;
    this.#mount = undefined;
    await mount?.[Symbol.asyncDispose]();
  }
}

function belowOf(chain: LayerChain): QemuDisk {
  const disk = chainDisk(chain);
  if (!disk) throw new TypeError('a disk without layers has no root');
  return disk;
}
