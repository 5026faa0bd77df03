import { open } from 'node:fs/promises';
import type { Context } from '../../core/context.ts';
import { BLOCK, type DataBlock, type Disk, type DiskWriter, type Wants } from './types.ts';
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
  disk: Disk,
  writers: readonly DiskWriter[],
  pool: Pool,
  ctx: Pick<Context, 'signal' | 'emit' | 'step'>,
): Promise<void> {
  const readers = writers.filter((writer) => writer.wants !== undefined);
  if (readers.length === 0 && !disk.content.wanted) return;
  const wants: Wants = {
    deflated: readers.some((w) => w.wants?.deflated),
    adler32: readers.some((w) => w.wants?.adler32),
    crc32: readers.some((w) => w.wants?.crc32),
  };
  let reported = 0;
  await using file = await open(disk.path, 'r');
  for await (const { blocks, done } of stripes(file.fd, disk, wants, pool)) {
    ctx.signal.throwIfAborted();
    const written = Promise.all(readers.map((writer) => writer.write(blocks)));
    if (disk.content.wanted) disk.content.add(blocks);
    await written;
    if (done >= reported + 64 * STRIPE || done === disk.size) {
      ctx.emit({ type: 'step:progress', step: ctx.step, done, total: disk.size, unit: 'bytes' });
      reported = done;
    }
  }
}

/** Places of the blocks with data, ascending. */
export async function scanDisk(disk: Disk, pool: Pool): Promise<number[]> {
  await using file = await open(disk.path, 'r');
  const offsets: number[] = [];
  for await (const { blocks } of stripes(file.fd, disk, {}, pool)) {
    for (const block of blocks) offsets.push(block.offset);
  }
  return offsets;
}

async function* stripes(fd: number, disk: Disk, wants: Wants, pool: Pool) {
  const ahead: { offset: number; answer: Promise<BlocksAnswer> }[] = [];
  const free: ArrayBuffer[] = [];
  const offsets = stripesWithData(disk);
  try {
    for (;;) {
      while (ahead.length < 4 * pool.size) {
        const { value: offset, done } = offsets.next();
        if (done) break;
        const answer = pool.blocks({
          fd,
          offset,
          length: Math.min(STRIPE, disk.size - offset),
          buffer: free.pop() ?? new ArrayBuffer(STRIPE),
          wants,
          level: LEVEL,
        });
        // It is awaited in its turn; until then a failure must not count as unhandled.
        answer.catch(() => {});
        ahead.push({ offset, answer });
      }
      const first = ahead.shift();
      if (!first) break;
      const answer = await first.answer;
      yield {
        blocks: blocksOf(answer, first.offset, wants),
        done: Math.min(first.offset + STRIPE, disk.size),
      };
      free.push(answer.buffer);
    }
  } finally {
    // Workers read through `fd`: it must not be closed, and its number given to another file, before they end.
    await Promise.allSettled(ahead.map(({ answer }) => answer));
  }
}

function* stripesWithData(disk: Disk): Generator<number, undefined> {
  let next = 0;
  for (const { start, end } of disk.extents) {
    next = Math.max(next, Math.floor(start / STRIPE) * STRIPE);
    for (; next < Math.min(end, disk.size); next += STRIPE) yield next;
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
