import { constants, crc32, deflateRawSync } from 'node:zlib';
import { combineCrc32 } from './crc32-combine.ts';

/** Deflate, no name, no time, unknown system (RFC 1952, section 2.3). */
const HEADER = Buffer.from('1f8b08000000000000ff', 'hex');
/** The empty last block of a deflate stream. */
const END = Uint8Array.of(3, 0);

/** Takes bytes one after the other. */
export interface Sink {
  write(bytes: Uint8Array): Promise<void>;
}

/** One gzip member put together from pieces that were deflated apart from each other, each ended by a sync flush. */
export class GzipFile {
  readonly #sink: Sink;
  #begun = false;
  #crc = 0;
  #length = 0;
  #written = HEADER.length;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /**
   * Appends a deflated piece; `crc` and `length` are those of the bytes before deflating. Answers how many bytes of
   * the gzip file lie before it.
   */
  async add(deflated: Uint8Array, crc: number, length: number): Promise<number> {
    await this.#begin();
    const at = this.#written;
    await this.#sink.write(deflated);
    this.#written += deflated.length;
    this.#crc = combineCrc32(this.#crc, crc, length);
    this.#length += length;
    return at;
  }

  /** Deflates and appends a little. */
  async addPlain(bytes: Uint8Array): Promise<void> {
    const deflated = deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
    await this.add(deflated, crc32(bytes), bytes.length);
  }

  async finish(): Promise<void> {
    await this.#begin();
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.#crc, 0);
    trailer.writeUInt32LE(this.#length % 2 ** 32, 4);
    await this.#sink.write(END);
    await this.#sink.write(trailer);
  }

  async #begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    await this.#sink.write(HEADER);
  }
}
