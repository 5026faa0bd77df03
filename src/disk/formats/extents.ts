import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';

/** A stretch of a file, in bytes; `end` is behind its last byte. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** Much more than the most broken-up disk needs (about 120 bytes an extent). */
const MOST_OUTPUT = 256 << 20;

/**
 * The stretches of a raw disk that the file system keeps data for, ascending; between them are zeros. Reading holes
 * costs as much as reading data, and node has no lseek(2) with SEEK_DATA; qemu-img has.
 */
export async function dataExtents(path: string, ctx: Pick<Context, 'host' | 'signal'>): Promise<Extent[]> {
  const { stdout } = await ctx.host.run('qemu-img', ['map', '-f', 'raw', '--output=json', path], {
    maxBytes: MOST_OUTPUT,
    signal: ctx.signal,
  });
  const map: unknown = JSON.parse(stdout);
  if (!Array.isArray(map)) {
    throw new IngotError(
      'output/failed',
      `qemu-img map answered ${stdout.slice(0, 80)}, expected a JSON list`,
    );
  }
  const entries = map as { start: number; length: number; data: boolean; zero: boolean }[];
  return entries.filter((e) => e.data && !e.zero).map((e) => ({ start: e.start, end: e.start + e.length }));
}
