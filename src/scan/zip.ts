import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { constants, inflateRawSync } from 'node:zlib';
import { IngotError } from '../core/error.ts';

export interface ZipEntry {
  readonly name: string;
  /** Bytes when unpacked, as the directory says. */
  readonly size: number;
  /** Unpacks it. Throws `scan/bad-zip` when it is damaged or larger than it says. */
  read(): Buffer;
}

const END = 0x06054b50;
const END64_LOCATOR = 0x07064b50;
const END64 = 0x06064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;
/** Largest directory: the largest export known has 300,000 files. */
const MAX_DIRECTORY = 256 * 1024 * 1024;
const UINT32 = 0xffffffff;

/** An archive in the ZIP format (APPNOTE.TXT 6.3.9), with its 64-bit form; encrypted files are refused when read. */
export class ZipFile implements Disposable {
  readonly #path: string;
  readonly #file: number;
  readonly #length: number;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'r');
    this.#length = fstatSync(this.#file).size;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  /** All files in the order of the directory. `maxBytes`: most that one may unpack to. */
  *entries(maxBytes: number): Iterable<ZipEntry> {
    const { offset, size, count } = this.#directory();
    if (size > MAX_DIRECTORY) throw this.#bad(`its directory has ${size} bytes`);
    const directory = this.#read(offset, size);
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (at + 46 > size || directory.readUInt32LE(at) !== CENTRAL)
        throw this.#bad(`its directory ends after ${i} of ${count} files`);
      const nameLength = directory.readUInt16LE(at + 28);
      const extraLength = directory.readUInt16LE(at + 30);
      const extra = directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
      const wide = wideNumbers(extra);
      const field = (position: number): number => {
        const value = directory.readUInt32LE(at + position);
        return value === UINT32 ? (wide.shift() ?? value) : value;
      };
      // The 64-bit numbers stand in this order, those only that do not fit.
      const unpacked = field(24);
      const packed = field(20);
      const local = field(42);
      const method = directory.readUInt16LE(at + 10);
      const flags = directory.readUInt16LE(at + 8);
      const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
      at += 46 + nameLength + extraLength + directory.readUInt16LE(at + 32);
      if (name.endsWith('/')) continue;
      yield {
        name,
        size: unpacked,
        read: () => {
          if (unpacked > maxBytes)
            throw this.#bad(`${name} has ${unpacked} bytes, expected at most ${maxBytes}`);
          if ((flags & 1) !== 0) throw this.#bad(`${name} is encrypted`);
          return this.#unpack(name, local, packed, unpacked, method);
        },
      };
    }
  }

  #unpack(name: string, local: number, packed: number, unpacked: number, method: number): Buffer {
    const header = this.#read(local, 30);
    if (header.readUInt32LE(0) !== LOCAL) throw this.#bad(`${name} is not where the directory says`);
    const start = local + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
    const data = this.#read(start, packed);
    if (method === STORED && packed === unpacked) return data;
    if (method !== DEFLATED) throw this.#bad(`${name} is packed with the unknown method ${method}`);
    try {
      const content = inflateRawSync(data, {
        maxOutputLength: Math.max(unpacked, 1),
        finishFlush: constants.Z_FINISH,
      });
      if (content.length === unpacked) return content;
    } catch (error) {
      throw this.#bad(`${name} cannot be unpacked: ${(error as Error).message}`);
    }
    throw this.#bad(`${name} is shorter than the directory says`);
  }

  #directory(): { offset: number; size: number; count: number } {
    const tailLength = Math.min(this.#length, 65_557);
    const tail = this.#read(this.#length - tailLength, tailLength);
    for (let at = tail.length - 22; at >= 0; at--) {
      if (tail.readUInt32LE(at) !== END) continue;
      const locator = at - 20;
      if (locator >= 0 && tail.readUInt32LE(locator) === END64_LOCATOR) {
        const end = this.#read(Number(tail.readBigUInt64LE(locator + 8)), 56);
        if (end.readUInt32LE(0) !== END64) throw this.#bad('its 64-bit directory is missing');
        return {
          count: Number(end.readBigUInt64LE(32)),
          size: Number(end.readBigUInt64LE(40)),
          offset: Number(end.readBigUInt64LE(48)),
        };
      }
      return {
        count: tail.readUInt16LE(at + 10),
        size: tail.readUInt32LE(at + 12),
        offset: tail.readUInt32LE(at + 16),
      };
    }
    throw this.#bad('its directory is missing: it is cut off, or no ZIP archive');
  }

  #read(offset: number, length: number): Buffer {
    if (offset < 0 || length < 0 || offset + length > this.#length)
      throw this.#bad('it leads behind its own end');
    const buffer = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const read = readSync(this.#file, buffer, done, length - done, offset + done);
      if (read === 0) throw this.#bad('it got shorter while it was read');
      done += read;
    }
    return buffer;
  }

  #bad(what: string): IngotError {
    return new IngotError('scan/bad-zip', `${this.#path} cannot be read as a ZIP archive: ${what}`, {
      hint: 'Was it downloaded in full? `unzip -t` checks it.',
    });
  }
}

/** Numbers of the 64-bit extra field (0x0001). */
function wideNumbers(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const size = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) {
      const numbers: number[] = [];
      for (let i = at + 4; i + 8 <= Math.min(at + 4 + size, extra.length); i += 8)
        numbers.push(Number(extra.readBigUInt64LE(i)));
      return numbers;
    }
    at += 4 + size;
  }
  return [];
}
