import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { FileWriter } from './file-writer.ts';
import type { Sink } from './gzip-file.ts';
import { TAR_BLOCK, tarHeader, tarPadding } from './tar-header.ts';

/** Writes a ustar archive whose members' names and sizes may be known only after their data. */
export class TarWriter {
  readonly #file: FileHandle;
  readonly #mtime: number;
  #at = 0;

  constructor(file: FileHandle, mtime: number) {
    this.#file = file;
    this.#mtime = mtime;
  }

  /** Adds what `fill` writes, from `start` in the file on; the name may follow from its SHA-256 (in hex). */
  async add(
    fill: (sink: Sink, start: number) => Promise<void>,
    nameOf: (sha256: string) => string,
  ): Promise<{ size: number; sha256: string }> {
    const out = new FileWriter(this.#file);
    const sha = createHash('sha256');
    const start = this.#at + TAR_BLOCK;
    let size = 0;
    let waiting = 0;
    const sink: Sink = {
      async write(bytes) {
        sha.update(bytes);
        await out.write(start + size, bytes);
        size += bytes.length;
        waiting += bytes.length;
        if (waiting < 1 << 20) return;
        await out.flush();
        waiting = 0;
      },
    };
    await fill(sink, start);
    const sha256 = sha.digest('hex');
    const padding = tarPadding(size);
    await out.write(start + size, padding);
    await out.write(this.#at, tarHeader({ name: nameOf(sha256), size, mtime: this.#mtime }));
    await out.flush();
    this.#at = start + size + padding.length;
    return { size, sha256 };
  }

  async finish(): Promise<void> {
    const out = new FileWriter(this.#file);
    await out.write(this.#at, Buffer.alloc(2 * TAR_BLOCK));
    await out.flush();
  }
}
