import { type Digest, sha256 } from '../../core/digest.ts';
import { GzipFile, type Sink } from './gzip-file.ts';
import type { LayerChunk } from './layer-tar.ts';
import type { PackedPieces } from './packed-pieces.ts';
import type { GzipAnswer, Pool } from './pool.ts';

/** Most bytes of a piece: windows begin anew in each, which at this size costs about one per cent. */
const PIECE = 256 << 10;
/** zlib's level; see LEVEL in disk-pass.ts. */
export const GZIP_LEVEL = 4;
/** A file of so many bytes begins a piece, and of the others one in so many. */
const LARGE = 64 << 10;
const ONE_IN = 16;

/** Where the compressed stream will lie, and what is known of others. */
export interface PieceMemory {
  readonly pieces: PackedPieces;
  /** Path of the file after the build. */
  readonly path: string;
  /** Place in the file of the stream's first byte. */
  readonly start: number;
}

/**
 * Compresses a layer's archive into one gzip member with the pool's threads; at most four pieces each wait in memory.
 * What was deflated before is taken from where it lies: the bytes are the same.
 */
export async function gzipStream(
  source: AsyncIterable<LayerChunk>,
  sink: Sink,
  pool: Pool,
  memory?: PieceMemory,
): Promise<void> {
  const gzip = new GzipFile(sink);
  const ahead: { digest: Digest | undefined; answer: Promise<GzipAnswer>; length: number }[] = [];
  const takeFirst = async () => {
    const first = ahead.shift();
    if (!first) return;
    const answer = await first.answer;
    const at = await gzip.add(answer.packed, answer.crc32, first.length);
    if (memory && first.digest) memory.pieces.add(first.digest, answer, memory.path, memory.start + at);
  };
  for await (const piece of pieces(source)) {
    if (ahead.length >= 4 * pool.size) await takeFirst();
    const digest = memory && sha256(piece);
    const known = digest && memory.pieces.find(digest);
    const answer = known ? Promise.resolve(known) : pool.gzip(piece.slice(), GZIP_LEVEL);
    // It is awaited in its turn; until then a failure must not count as unhandled.
    answer.catch(() => {});
    ahead.push({ digest, answer, length: piece.length });
  }
  while (ahead.length > 0) await takeFirst();
  await gzip.finish();
}

/**
 * The archive cut into pieces of at most PIECE bytes. Where a piece may begin follows from the names and sizes of members, not
 * from what lies before them: a file that comes or goes changes the pieces around it, and leaves the others. The memory of a
 * piece is that of the next one.
 */
async function* pieces(source: AsyncIterable<LayerChunk>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const piece = new Uint8Array(PIECE);
  let used = 0;
  for await (const { bytes, member } of source) {
    if (member && used > 0 && beginsPiece(member)) {
      yield piece.subarray(0, used);
      used = 0;
    }
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + PIECE - used);
      piece.set(part, used);
      used += part.length;
      at += part.length;
      if (used === PIECE) {
        yield piece;
        used = 0;
      }
    }
  }
  if (used > 0) yield piece.subarray(0, used);
}

function beginsPiece({ name, size }: NonNullable<LayerChunk['member']>): boolean {
  if (size >= LARGE) return true;
  let sum = 0;
  for (let i = 0; i < name.length; i++) sum = (sum * 31 + name.charCodeAt(i)) | 0;
  return sum % ONE_IN === 0;
}
