import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { constants, createInflateRaw, inflateRawSync } from 'node:zlib';
import { type Hit, type NeedleSet, StreamSearch } from './search-stream.ts';
import type { UnpackBudget } from './unpack-budget.ts';

/** Compressed bytes that are read at first: nearly all compressed files of a system are smaller. */
const FIRST = 64 << 10;
const PIECE = 1 << 20;
const MOST_AT_ONCE = 32 << 20;

/** RFC 1952, section 2.3.1. */
const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;
const FIXED_HEADER = 10;

/**
 * Searches what a gzip member at `offset` of a file holds, as far as it can be unpacked; what only looks like gzip holds
 * nothing. The member must lie in one piece. Answers hits with their offset in what was unpacked.
 */
export async function searchGzip(
  file: FileHandle,
  offset: number,
  needles: NeedleSet,
  budget: UnpackBudget,
  signal: AbortSignal,
): Promise<readonly Hit[]> {
  const search = new StreamSearch(needles);
  const head = Buffer.allocUnsafe(FIRST);
  const { bytesRead } = await file.read(head, 0, FIRST, offset);
  const start = headerLength(head.subarray(0, bytesRead));
  if (start === undefined) return [];
  const small = inflate(head.subarray(start, bytesRead), bytesRead < FIRST);
  if (small === 'longer') await searchLong(file, offset + start, search, budget, signal);
  else if (small !== 'broken') {
    budget.take(small.length);
    search.add(small, 0);
  }
  return search.hits;
}

/** Bytes before the compressed ones; undefined for what is no header. */
function headerLength(bytes: Buffer): number | undefined {
  const flags = bytes[3];
  if (flags === undefined || bytes.length < FIXED_HEADER || flags & FLAG.reserved) return undefined;
  let at = FIXED_HEADER;
  if (flags & FLAG.extra) {
    if (at + 2 > bytes.length) return undefined;
    at += 2 + bytes.readUInt16LE(at);
  }
  for (const text of [FLAG.name, FLAG.comment]) {
    if (!(flags & text)) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return undefined;
    at = end + 1;
  }
  if (flags & FLAG.headerCrc) at += 2;
  return at < bytes.length ? at : undefined;
}

/** `all`: there are no bytes behind these. `longer`: it does not end in them, or unpacks to many. */
function inflate(bytes: Buffer, all: boolean): Buffer | 'longer' | 'broken' {
  try {
    // `info` is missing in the types of Node 20.
    const options = { info: true, maxOutputLength: MOST_AT_ONCE, finishFlush: constants.Z_SYNC_FLUSH };
    const { buffer, engine } = inflateRawSync(bytes, options) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return all || engine.bytesWritten < bytes.length ? buffer : 'longer';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'longer' : 'broken';
  }
}

async function searchLong(
  file: FileHandle,
  start: number,
  search: StreamSearch,
  budget: UnpackBudget,
  signal: AbortSignal,
): Promise<void> {
  const packed = Readable.from(piecesFrom(file, start));
  const unpacked = packed.pipe(createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH }));
  packed.on('error', (error) => unpacked.destroy(error));
  let at = 0;
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      search.add(chunk, at);
      at += chunk.length;
      if (!budget.take(chunk.length, at)) return;
    }
  } catch {
    // What is broken further on was searched so far.
    signal.throwIfAborted();
  } finally {
    packed.destroy();
  }
}

/** The file from `start` on. (A stream of it would close it when it is destroyed.) */
export async function* piecesFrom(file: FileHandle, start: number): AsyncGenerator<Buffer> {
  for (let at = start; ; ) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE, at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}
