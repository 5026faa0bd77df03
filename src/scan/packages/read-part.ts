import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { createHash } from 'node:crypto';
import type { PackageHash } from './package.ts';

/** A regular file of the image, open for reading: a link in its place is refused by the kernel. */
export class FilePart implements Disposable {
  readonly #file: number;
  /** Bytes. */
  readonly size: number;

  constructor(host: string) {
    this.#file = openSync(host, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    this.size = fstatSync(this.#file).size;
  }

  /** Up to `length` bytes from `offset`; fewer at the end. */
  read(offset: number, length: number): Buffer {
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    const buffer = Buffer.alloc(wanted);
    let done = 0;
    while (done < wanted) {
      const read = readSync(this.#file, buffer, done, wanted - done, offset + done);
      if (read === 0) break;
      done += read;
    }
    return buffer.subarray(0, done);
  }

  /** SHA-256 of all of it. */
  hash(): PackageHash {
    const hash = createHash('sha256');
    for (let at = 0; at < this.size; at += CHUNK) hash.update(this.read(at, CHUNK));
    return { algorithm: 'SHA-256', value: hash.digest('hex'), of: 'file' };
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

const CHUNK = 1024 * 1024;
