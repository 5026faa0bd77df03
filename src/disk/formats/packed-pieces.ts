import { closeSync, openSync, readSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Context } from '../../core/context.ts';
import { type Digest, sha256 } from '../../core/digest.ts';
import { Remembered } from '../../store/remembered.ts';
import type { GzipAnswer } from './pool.ts';

/** Bump when pieces are deflated in another way. */
const VERSION = 1;
/** Pieces of some twenty archives; about 4 MB. */
const MOST = 40_000;

/** Where a deflated piece lies: `[offset, length, CRC-32 of the bytes before, digest of the deflated ones, path]`. */
type Place = readonly [offset: number, length: number, crc32: number, digest: Digest, path: string];

/**
 * Deflated pieces of archives that earlier builds have left in the cache: an image shares most of its files with the one
 * before it and with its base, and deflating them is most of the work. Nothing is kept but where they are. A piece that
 * is not what it was, or not there any more, counts as none.
 */
export class PackedPieces implements Disposable {
  readonly #known: Remembered;
  readonly #cacheDir: string;
  readonly #files = new Map<string, number | undefined>();

  private constructor(known: Remembered, cacheDir: string) {
    this.#known = known;
    this.#cacheDir = cacheDir;
  }

  /** `level`: zlib's. Another zlib deflates in another way, so that its pieces are others. */
  static async open({ cacheDir }: Pick<Context, 'cacheDir'>, level: number): Promise<PackedPieces> {
    const key = sha256(JSON.stringify([VERSION, level, process.versions.zlib, process.arch]));
    const known = await Remembered.open(join(cacheDir, 'packed.txt'), key, MOST);
    return new PackedPieces(known, cacheDir);
  }

  /** The piece whose bytes have this digest. */
  find(digest: Digest): GzipAnswer | undefined {
    const said = this.#known.get(digest);
    if (said === undefined) return undefined;
    const [offset, length, crc32, expected, path] = JSON.parse(said) as Place;
    const fd = this.#opened(path);
    if (fd === undefined) return undefined;
    const packed = new Uint8Array(length);
    const whole = readSync(fd, packed, 0, length, offset) === length;
    return whole && sha256(packed) === expected ? { packed, crc32 } : undefined;
  }

  /** Says that the piece is in the file that will lie at `path`, below the cache. */
  add(digest: Digest, { packed, crc32 }: GzipAnswer, path: string, offset: number): void {
    const place: Place = [offset, packed.length, crc32, sha256(packed), relative(this.#cacheDir, path)];
    this.#known.set(digest, JSON.stringify(place));
  }

  async save(): Promise<void> {
    await this.#known.save();
  }

  #opened(path: string): number | undefined {
    if (!this.#files.has(path)) this.#files.set(path, openedIfThere(join(this.#cacheDir, path)));
    return this.#files.get(path);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#files.values()) if (fd !== undefined) closeSync(fd);
  }
}

/** A descriptor; nothing for what was pruned since. */
function openedIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
