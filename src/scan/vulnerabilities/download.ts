import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import { fetch } from '../../store/http/fetch.ts';

/** OSV's export of everything has about 1 GB. */
const MAX_BYTES = 4 * 1024 * 1024 * 1024;
/** The dates of a copy, beside it. */
export const FACTS = 'copy.json';
const TIMEOUT_MS = 15 * 60_000;

/**
 * Fetches `url` into `dir`: `data`, and `copy.json` with its dates. An answer that was cut off, or
 * that `examine` throws for, leaves what was there. Throws `scan/download`.
 */
export async function download(
  url: string,
  dir: string,
  ctx: Pick<Context, 'signal' | 'clock'>,
  examine: (file: string) => void,
): Promise<{ readonly date: string; readonly fetched: string }> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  await mkdir(dir, { recursive: true });
  const partial = join(dir, `partial-${randomUUID()}`);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([ctx.signal, timeout]) });
    if (response.status !== 200) throw failed(url, `answered with status ${response.status}`);
    if (!response.body) throw failed(url, 'answered with nothing');
    const bytes = await save(response.body, partial, url);
    const length = response.headers.get('content-length');
    // A length is that of what was sent: packed, where the server packs.
    const isPlain = response.headers.get('content-encoding') === null;
    if (isPlain && length !== null && Number(length) !== bytes)
      throw failed(url, `sent ${bytes} of ${length} bytes`);
    examine(partial);
    const fetched = ctx.clock.now().toISOString();
    const modified = new Date(response.headers.get('last-modified') ?? Number.NaN);
    const copy = { date: Number.isNaN(modified.getTime()) ? fetched : modified.toISOString(), fetched };
    // The date first goes away: a new file never has an old date.
    await rm(join(dir, FACTS), { force: true });
    await rename(partial, join(dir, 'data'));
    await writeFile(join(dir, FACTS), `${JSON.stringify({ url, ...copy })}\n`);
    return copy;
  } catch (error) {
    if (error instanceof IngotError) throw error;
    ctx.signal.throwIfAborted();
    if (timeout.aborted) throw failed(url, `did not end within ${TIMEOUT_MS / 60_000} minutes`, error);
    const { cause, message } = error as Error;
    throw failed(url, `could not be fetched: ${cause instanceof Error ? cause.message : message}`, error);
  } finally {
    await rm(partial, { force: true });
  }
}

async function save(body: ReadableStream<Uint8Array>, path: string, url: string): Promise<number> {
  let bytes = 0;
  const counted = async function* (parts: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const part of parts) {
      bytes += part.byteLength;
      if (bytes > MAX_BYTES) throw failed(url, `sends more than ${MAX_BYTES} bytes`);
      yield part;
    }
  };
  await pipeline(Readable.fromWeb(body as never), counted, createWriteStream(path));
  return bytes;
}

function failed(url: string, what: string, cause?: unknown): IngotError {
  return new IngotError('scan/download', `${url} ${what}`, {
    hint: 'Is the address right, and can this machine reach it?',
    cause,
  });
}
