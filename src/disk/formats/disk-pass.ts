import { open } from 'node:fs/promises';
import type { Context } from '../../core/context.ts';
import { BLOCK, type DataBlock, type DiskWriter, type Wants } from './types.ts';
import type { BlocksAnswer, Pool } from './pool.ts';

/** Bytes that a worker reads at a time. */
const STRIPE = 16 * BLOCK;

/**
 * zlib's level. On a 1 GB system disk level 4 took two thirds of level 6's time and made 1.6 % more bytes.
 */
const LEVEL = 4;

/**
 * Reads the disk once and hands every block with data to all writers, in order. Workers read and compress ahead,
 * at most four stripes each, so memory stays bounded however slow a writer is.
 */
export async function readDisk(
  disk: { readonly path: string; readonly size: number },
  writers: readonly DiskWriter[],
  pool: Pool,
  ctx: Pick<Context, 'signal' | 'emit' | 'step'>,
): Promise<void> {
  const readers = writers.filter((writer) => writer.wants !== undefined);
  if (readers.length === 0) return;
  const wants: Wants = {
    deflated: readers.some((w) => w.wants?.deflated),
    adler32: readers.some((w) => w.wants?.adler32),
    crc32: readers.some((w) => w.wants?.crc32),
  };
  await using file = await open(disk.path, 'r');
  for await (const { blocks, done } of stripes(file.fd, disk.size, wants, pool)) {
    ctx.signal.throwIfAborted();
    if (blocks.length > 0) await Promise.all(readers.map((writer) => writer.write(blocks)));
    if (done % (64 * STRIPE) === 0 || done === disk.size) {
      ctx.emit({ type: 'step:progress', step: ctx.step, done, total: disk.size, unit: 'bytes' });
    }
  }
}

/** Places of the blocks with data, ascending. */
export async function scanDisk(disk: { readonly path: string; readonly size: number }, pool: Pool) {
  await using file = await open(disk.path, 'r');
  const offsets: number[] = [];
  for await (const { blocks } of stripes(file.fd, disk.size, {}, pool)) {
    for (const block of blocks) offsets.push(block.offset);
  }
  return offsets;
}

async function* stripes(fd: number, size: number, wants: Wants, pool: Pool) {
  const ahead: Promise<BlocksAnswer>[] = [];
  const free: ArrayBuffer[] = [];
  let next = 0;
  try {
    for (let offset = 0; offset < size; offset += STRIPE) {
      while (next < size && ahead.length < 4 * pool.size) {
        const job = pool.blocks({
          fd,
          offset: next,
          length: Math.min(STRIPE, size - next),
          buffer: free.pop() ?? new ArrayBuffer(STRIPE),
          wants,
          level: LEVEL,
        });
        // It is awaited in its turn; until then a failure must not count as unhandled.
        job.catch(() => {});
        ahead.push(job);
        next += STRIPE;
      }
      const answer = await (ahead.shift() as Promise<BlocksAnswer>);
      yield { blocks: blocksOf(answer, offset, wants), done: Math.min(offset + STRIPE, size) };
      free.push(answer.buffer);
    }
  } finally {
    // Workers read through `fd`: it must not be closed, and its number given to another file, before they end.
    await Promise.allSettled(ahead);
  }
}

function blocksOf(answer: BlocksAnswer, offset: number, wants: Wants): DataBlock[] {
  let at = 0;
  return answer.found.map((place, i) => {
    const length = answer.lengths[i] ?? 0;
    const deflated = wants.deflated ? new Uint8Array(answer.packed, at, length) : undefined;
    at += length;
    return {
      offset: offset + place,
      data: new Uint8Array(answer.buffer, place, BLOCK),
      ...(deflated && { deflated }),
      ...(wants.adler32 && { adler32: answer.adlers[i] as number }),
      ...(wants.crc32 && { crc32: answer.crcs[i] as number }),
    };
  });
}
