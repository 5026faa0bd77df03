import { type FileHandle, open } from 'node:fs/promises';
import type { Extent } from '../../disk/formats/extents.ts';
import type { Host } from '../../core/host.ts';
import { searchByCommand } from './search-by-command.ts';
import { searchGzip } from './search-gzip.ts';
import { type Hit, type NeedleSet, type Packing, StreamSearch } from './search-stream.ts';
import type { UnpackBudget } from './unpack-budget.ts';

/** Bytes read at a time. */
const CHUNK = 4 << 20;

/** A hit in a file; `packing`: in what a stream packed so at `offset` holds. */
export interface FileHit extends Hit {
  readonly packing?: Packing;
}

/** What a search works with besides the needles. */
export interface SearchContext {
  readonly host: Host;
  readonly signal: AbortSignal;
  readonly budget: UnpackBudget;
}

export interface FileSearch {
  readonly hits: readonly FileHit[];
  /** Bytes that were read. */
  readonly searched: number;
}

/**
 * Searches the stretches of a file that hold data, and what is packed with gzip, xz or zstd in them. A disk's free blocks are
 * stretches like others. Throws the error of a read.
 */
export async function searchFile(
  path: string,
  extents: readonly Extent[],
  needles: NeedleSet,
  ctx: SearchContext,
): Promise<FileSearch> {
  await using file = await open(path, 'r');
  return await searchOpened(file, extents, needles, ctx);
}

/** Like `searchFile`, of a file that is open. */
export async function searchOpened(
  file: FileHandle,
  extents: readonly Extent[],
  needles: NeedleSet,
  ctx: SearchContext,
): Promise<FileSearch> {
  const search = new StreamSearch(needles);
  const pieces = [...piecesOf(extents)];
  const longest = Math.max(0, ...pieces.map(({ length }) => length));
  const buffers = pieces.slice(0, 2).map(() => Buffer.allocUnsafe(longest));
  const read = (index: number) => {
    const piece = pieces[index];
    if (!piece) return undefined;
    const reading = file.read(buffers[index % 2] as Buffer, 0, piece.length, piece.offset);
    // It is awaited in its turn; until then a failure must not count as unhandled.
    reading.catch(() => {});
    return reading;
  };
  let searched = 0;
  // One piece is read while the one before it is searched.
  let next = read(0);
  for (const [i, piece] of pieces.entries()) {
    const { buffer, bytesRead } = await (next as NonNullable<typeof next>);
    ctx.signal.throwIfAborted();
    next = read(i + 1);
    search.add(buffer.subarray(0, bytesRead), piece.offset);
    searched += bytesRead;
  }
  const packed: FileHit[] = [];
  for (const { packing, offset } of search.packed) {
    ctx.signal.throwIfAborted();
    const hits =
      packing === 'gzip'
        ? await searchGzip(file, offset, needles, ctx.budget, ctx.signal)
        : await searchByCommand(packing, file, offset, needles, ctx.budget, ctx);
    packed.push(...hits.map((hit) => ({ ...hit, offset, packing })));
  }
  return { hits: [...search.hits, ...packed], searched };
}

interface Piece {
  readonly offset: number;
  readonly length: number;
}

function* piecesOf(extents: readonly Extent[]): Generator<Piece> {
  for (const { start, end } of extents)
    for (let offset = start; offset < end; offset += CHUNK)
      yield { offset, length: Math.min(CHUNK, end - offset) };
}
