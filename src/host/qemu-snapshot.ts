import type { Host } from '../core/host.ts';
import { createOverlay } from './qemu-image.ts';
import type { Qemu } from './qemu.ts';

/** The disk of a running machine, which is written into one overlay after another. */
export class LiveDisk {
  readonly #qemu: Pick<Qemu, 'execute'>;
  #node = 'disk0';
  #count = 0;

  constructor(qemu: Pick<Qemu, 'execute'>) {
    this.#qemu = qemu;
  }

  /**
   * Makes `path`, an overlay of `size` bytes, take everything that is written from now on. The file that was
   * written so far is only read afterwards, and may be renamed (qemu-qmp-ref(7), blockdev-snapshot).
   */
  async continueIn(host: Host, path: string, size: number): Promise<void> {
    await createOverlay(host, path, { path: '', format: 'qcow2' }, size);
    const node = `overlay${this.#count++}`;
    const file = { driver: 'file', filename: path };
    await this.#qemu.execute('blockdev-add', {
      driver: 'qcow2',
      'node-name': node,
      discard: 'unmap',
      file,
      backing: null,
    });
    await this.#qemu.execute('blockdev-snapshot', { node: this.#node, overlay: node });
    this.#node = node;
  }
}
