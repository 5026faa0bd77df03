import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { IngotError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { piecesFrom } from './search-gzip.ts';
import { type Hit, type NeedleSet, StreamSearch } from './search-stream.ts';
import type { UnpackBudget } from './unpack-budget.ts';

/** Most memory of a command: what a stream asks for beyond that is refused, as xz and zstd do for their largest windows. */
const COMMANDS = {
  xz: ['--decompress', '--stdout', '--quiet', '--single-stream', '--memlimit-decompress=256MiB'],
  zstd: ['-dcq', '--memory=256MB', '--no-progress'],
} as const;

/**
 * Searches what an xz or zstd stream at `offset` of a file holds, as far as its command unpacks it; what only looks like one
 * holds nothing. Throws `host/missing-tool`.
 */
export async function searchByCommand(
  command: keyof typeof COMMANDS,
  file: FileHandle,
  offset: number,
  needles: NeedleSet,
  budget: UnpackBudget,
  ctx: { readonly host: Host; readonly signal: AbortSignal },
): Promise<readonly Hit[]> {
  const search = new StreamSearch(needles);
  const timeoutMs = budget.left;
  if (timeoutMs === 0) return [];
  const enough = new AbortController();
  let at = 0;
  const began = performance.now();
  try {
    await ctx.host.run(command, COMMANDS[command], {
      input: Readable.from(piecesFrom(file, offset)),
      onBytes(data) {
        if (enough.signal.aborted) return;
        search.add(Buffer.from(data.buffer, data.byteOffset, data.byteLength), at);
        at += data.length;
        if (!budget.take(data.length, at)) enough.abort();
      },
      // What comes behind the stream is no part of it, and is complained about.
      okCodes: 'any',
      timeoutMs,
      signal: AbortSignal.any([ctx.signal, enough.signal]),
    });
  } catch (error) {
    ctx.signal.throwIfAborted();
    const isOver = enough.signal.aborted || (error instanceof IngotError && error.code === 'host/timeout');
    if (!isOver) throw error;
  } finally {
    budget.spend(performance.now() - began);
  }
  return search.hits;
}
