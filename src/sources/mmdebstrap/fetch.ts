import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { IngotError } from '../../core/error.ts';
import { fetch } from '../../store/http/fetch.ts';
import type { BlobCache, Expected } from './blobs.ts';

/** The server answered, but not with the file. */
export class NotFound extends Error {
  readonly url: string;
  constructor(url: string, status: string) {
    super(`${url}: ${status}`);
    this.name = 'NotFound';
    this.url = url;
  }
}

const ATTEMPTS = 3;
/** A server that says nothing for so long is taken for dead. */
const STALLED_MS = 30_000;

/** A small file's bytes. Throws `NotFound`, or `apt/mirror-unreachable` after three attempts. */
export async function fetchBytes(url: string, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  return retry(url, signal, async () => {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of await body(url, 0, signal)) {
      size += chunk.length;
      if (size > maxBytes) throw new NotFound(url, `answer is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  });
}

/**
 * Fetches a file into the cache, from the first of `urls` that has it. A broken transfer goes on where it
 * stopped. Throws `NotFound` where none has it, `apt/hash-mismatch` where all that came was something else.
 */
export async function fetchBlob(
  urls: readonly string[],
  expected: Expected,
  cache: BlobCache,
  signal: AbortSignal,
  onBytes: (count: number) => void = () => {},
): Promise<string> {
  if (cache.has(expected.sha256, expected.size)) return cache.path(expected.sha256);
  let failure: unknown;
  for (const url of urls) {
    const partial = await cache.partial();
    try {
      await retry(url, signal, () => download(url, partial, expected, signal, onBytes));
      return await cache.keep(partial, expected.sha256);
    } catch (error) {
      await rm(partial, { force: true });
      if (signal.aborted) throw error;
      // What the first mirror said is what the user asked about.
      failure ??= error;
    }
  }
  throw failure ?? new NotFound('(no mirror)', 'nothing to fetch from');
}

async function download(
  url: string,
  partial: string,
  expected: Expected,
  signal: AbortSignal,
  onBytes: (count: number) => void,
): Promise<void> {
  const file = await open(partial, 'a+');
  try {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of file.createReadStream({ start: 0, autoClose: false })) {
      hash.update(chunk as Buffer);
      size += (chunk as Buffer).length;
    }
    for await (const chunk of await body(url, size, signal)) {
      size += chunk.length;
      if (size > expected.size) break;
      hash.update(chunk);
      await file.write(chunk);
      onBytes(chunk.length);
    }
    const got = hash.digest('hex');
    if (size < expected.size) throw new Error(`${url}: ended after ${size} of ${expected.size} bytes`);
    if (size === expected.size && got === expected.sha256) return;
    throw new IngotError(
      'apt/hash-mismatch',
      `${url} has ${size > expected.size ? 'more' : ''} ${size} bytes with SHA-256 ${got}; expected ${expected.size} bytes with ${expected.sha256}`.replace(
        '  ',
        ' ',
      ),
      {
        hint: 'The mirror is broken or being changed right now: try again later, or name another with mirrors = […].',
      },
    );
  } finally {
    await file.close();
  }
}

async function retry<T>(url: string, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || error instanceof NotFound || error instanceof IngotError) throw error;
      if (n === ATTEMPTS) {
        throw new IngotError('apt/mirror-unreachable', `${url} could not be fetched: ${reason(error)}`, {
          hint: "Check the network and the name, or name another mirror with mirrors = […]; `ingot doctor` tests the host's.",
          cause: error,
        });
      }
      await sleep(200 * 4 ** (n - 1), undefined, { signal });
    }
  }
}

/** Says what lies below undici's "fetch failed". */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause;
  if (cause instanceof AggregateError && cause.errors.length > 0) return reason(cause.errors[0]);
  return cause instanceof Error ? cause.message : error.message;
}

async function body(url: string, offset: number, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
  if (url.startsWith('file:')) return localFile(url, offset);
  const stalled = new AbortController();
  let timer = setTimeout(() => stalled.abort(new Error(`no answer for ${STALLED_MS / 1000} s`)), STALLED_MS);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(new Error(`no byte for ${STALLED_MS / 1000} s`)), STALLED_MS);
  };
  try {
    const response = await fetch(url, {
      // Bytes as they are: digests are of the file, not of a transfer coding.
      headers: { 'accept-encoding': 'identity', ...(offset > 0 && { range: `bytes=${offset}-` }) },
      signal: AbortSignal.any([signal, stalled.signal]),
    });
    if (response.status >= 500)
      throw new Error(`the server answered ${response.status} ${response.statusText}`);
    if (!response.ok) throw new NotFound(url, `${response.status} ${response.statusText}`);
    const skip = offset > 0 && response.status !== 206 ? offset : 0;
    if (!response.body) return chunks([], skip, alive, () => clearTimeout(timer));
    return chunks(Readable.fromWeb(response.body as never), skip, alive, () => clearTimeout(timer));
  } catch (error) {
    clearTimeout(timer);
    throw error;
  }
}

async function* chunks(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  skip: number,
  alive: () => void,
  done: () => void,
): AsyncGenerator<Buffer> {
  let left = skip;
  try {
    for await (const chunk of source) {
      alive();
      const rest = chunk.subarray(Math.min(left, chunk.length));
      left -= chunk.length - rest.length;
      if (rest.length > 0) yield Buffer.from(rest.buffer, rest.byteOffset, rest.length);
    }
  } finally {
    done();
  }
}

async function* localFile(url: string, offset: number): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(fileURLToPath(url), { start: offset })) yield chunk as Buffer;
  } catch (cause) {
    throw new NotFound(url, (cause as Error).message);
  }
}
