import type { FileHandle } from 'node:fs/promises';

/** Most buffers in one pwritev(2) (IOV_MAX). */
const MAX_BUFFERS = 1024;

/**
 * Gathers writes to places in a file and hands neighbours to the kernel together. What is never written stays a
 * hole.
 */
export class FileWriter {
  readonly #file: FileHandle;
  #start = 0;
  #end = 0;
  #buffers: Uint8Array[] = [];

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Writes `bytes` at `position`; they must not change before `flush`. */
  async write(position: number, bytes: Uint8Array): Promise<void> {
    if (position !== this.#end || this.#buffers.length === MAX_BUFFERS) {
      await this.flush();
      this.#start = position;
      this.#end = position;
    }
    this.#buffers.push(bytes);
    this.#end += bytes.length;
  }

  async flush(): Promise<void> {
    let buffers = this.#buffers;
    let position = this.#start;
    this.#buffers = [];
    this.#start = this.#end;
    while (buffers.length > 0) {
      let { bytesWritten: done } = await this.#file.writev(buffers, position);
      position += done;
      // A short write: go on behind it, where a full disk answers ENOSPC.
      let whole = 0;
      while (whole < buffers.length && done >= (buffers[whole] as Uint8Array).length) {
        done -= (buffers[whole] as Uint8Array).length;
        whole++;
      }
      buffers = buffers.slice(whole);
      if (buffers.length > 0) buffers[0] = (buffers[0] as Uint8Array).subarray(done);
    }
  }
}

/** `value` rounded up to a multiple of `unit`. */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
