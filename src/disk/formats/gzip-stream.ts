import type { GzipAnswer, Pool } from './pool.ts';
import { GzipFile, type Sink } from './gzip-file.ts';

/** Bytes of a piece: windows begin anew in each, which at this size costs about one per cent. */
const PIECE = 256 << 10;
/** zlib's level; see LEVEL in disk-pass.ts. */
const LEVEL = 4;

/** Compresses a stream into one gzip member with the pool's threads; at most four pieces each wait in memory. */
export async function gzipStream(source: AsyncIterable<Uint8Array>, sink: Sink, pool: Pool): Promise<void> {
  const gzip = new GzipFile(sink);
  const ahead: { answer: Promise<GzipAnswer>; length: number }[] = [];
  const takeFirst = async () => {
    const first = ahead.shift();
    if (!first) return;
    const { packed, crc32 } = await first.answer;
    await gzip.add(packed, crc32, first.length);
  };
  for await (const bytes of pieces(source)) {
    if (ahead.length >= 4 * pool.size) await takeFirst();
    const { length } = bytes;
    const answer = pool.gzip(bytes, LEVEL);
    // It is awaited in its turn; until then a failure must not count as unhandled.
    answer.catch(() => {});
    ahead.push({ answer, length });
  }
  while (ahead.length > 0) await takeFirst();
  await gzip.finish();
}

/** The stream cut into pieces of PIECE bytes, the last one shorter. */
async function* pieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let piece = new Uint8Array(PIECE);
  let used = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + PIECE - used);
      piece.set(part, used);
      used += part.length;
      at += part.length;
      if (used === PIECE) {
        yield piece;
        piece = new Uint8Array(PIECE);
        used = 0;
      }
    }
  }
  if (used > 0) yield piece.slice(0, used);
}
