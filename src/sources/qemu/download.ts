import { open, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Context } from '../../core/context.ts';
import { hexOf, sha256 } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';
import { inTurn } from '../../core/in-turn.ts';
import { fetch } from '../../store/http/fetch.ts';
import type { Checksum } from './checksum.ts';
import { hashFile } from './file-hash.ts';
import { PartialDownload } from './partial-download.ts';

type Ctx = Pick<Context, 'signal' | 'emit' | 'step' | 'cacheDir' | 'templateDir'>;

/** Longest text that a list of checksums may be. */
const LIST_BYTES = 4 * 1024 * 1024;

/** Path of a place that is on this machine; undefined for what is fetched. */
export function localPath(place: string, ctx: Pick<Ctx, 'templateDir'>): string | undefined {
  if (/^https?:\/\//i.test(place)) return undefined;
  if (/^file:\/\//i.test(place)) return fileURLToPath(place);
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(place);
  if (scheme) {
    throw new IngotError('qemu/bad-url', `${place} cannot be fetched: ${scheme[1]} is not supported`, {
      hint: 'Use http, https, file, or a path.',
    });
  }
  return isAbsolute(place) ? place : join(ctx.templateDir, place);
}

/** Where a download with this checksum is kept. */
export function downloadPath(hex: string, ctx: Pick<Ctx, 'cacheDir'>): string {
  return join(ctx.cacheDir, 'downloads', `sha256-${hex}`);
}

/** A small file, such as a list of checksums. */
export async function fetchSmall(place: string, ctx: Ctx): Promise<Buffer> {
  const response = await request(place, {}, ctx);
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of Readable.fromWeb(response.body as never)) {
    parts.push(part as Buffer);
    size += (part as Buffer).length;
    if (size > LIST_BYTES)
      throw failed(place, `it is longer than ${LIST_BYTES} bytes, which no list of checksums is`);
  }
  return Buffer.concat(parts);
}

/**
 * Downloads into the cache and answers the sha256. What a broken connection has left is gone on with. A file that has
 * another checksum than it should is thrown away: `qemu/checksum-mismatch`.
 */
export async function download(
  place: string,
  wanted: Checksum | undefined,
  ctx: Ctx,
): Promise<{ readonly sha256: string; readonly size: number }> {
  const key = hexOf(sha256(`${place}\0${wanted?.hex ?? ''}`)).slice(0, 32);
  const folder = join(ctx.cacheDir, 'downloads', `part-${key}`);
  // The builds of this process wait for the first of them, and find what it has fetched.
  return await inTurn(folder, async () => {
    const there = wanted?.name === 'sha256' ? await sizeOf(downloadPath(wanted.hex, ctx)) : undefined;
    if (wanted && there !== undefined) return { sha256: wanted.hex, size: there };
    const part = await PartialDownload.open(folder);
    try {
      await fetchInto(part.path, place, ctx);
    } catch (error) {
      await part.keep();
      throw error;
    }
    return await publish(part, place, wanted, ctx);
  });
}

async function publish(
  part: PartialDownload,
  place: string,
  wanted: Checksum | undefined,
  ctx: Ctx,
): Promise<{ readonly sha256: string; readonly size: number }> {
  try {
    const size = (await stat(part.path)).size;
    const found = wanted && (await hashFile(part.path, wanted.name, ctx.signal));
    if (wanted && found !== wanted.hex) {
      throw new IngotError(
        'qemu/checksum-mismatch',
        `${place} has the ${wanted.name} ${found}, expected ${wanted.hex}`,
        {
          hint: 'Has the image been replaced by a newer one? Then take the new checksum from its publisher.',
        },
      );
    }
    const digest = wanted?.name === 'sha256' ? wanted.hex : await hashFile(part.path, 'sha256', ctx.signal);
    await part.publish(downloadPath(digest, ctx));
    return { sha256: digest, size };
  } catch (error) {
    if (ctx.signal.aborted) await part.keep();
    else await part.drop();
    throw error;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    (s) => s.size,
    () => undefined,
  );
}

async function fetchInto(part: string, place: string, ctx: Ctx): Promise<void> {
  const have = (await sizeOf(part)) ?? 0;
  const response = await request(place, have > 0 ? { range: `bytes=${have}-` } : {}, ctx);
  // All of it is there; or the file has become shorter: then its checksum tells.
  if (response.status === 416) {
    await response.body?.cancel();
    return;
  }
  const resumed = response.status === 206;
  const total = Number(response.headers.get('content-length') ?? Number.NaN) + (resumed ? have : 0);
  let done = resumed ? have : 0;
  let told = 0;
  await using file = await open(part, resumed ? 'a' : 'w');
  try {
    // Each piece is written as it comes: what came before the connection broke is kept.
    for await (const chunk of response.body ?? []) {
      await file.writeFile(chunk);
      done += chunk.length;
      if (done - told < 8 << 20) continue;
      told = done;
      const progress = { type: 'step:progress', step: ctx.step, done, unit: 'bytes', what: place } as const;
      ctx.emit(Number.isNaN(total) ? progress : { ...progress, total });
    }
  } catch (cause) {
    ctx.signal.throwIfAborted();
    throw failed(place, `the connection broke after ${done} bytes`, cause);
  }
  if (!Number.isNaN(total) && done !== total) throw failed(place, `${done} of ${total} bytes came`);
}

async function request(
  place: string,
  headers: Readonly<Record<string, string>>,
  ctx: Pick<Ctx, 'signal'>,
): Promise<Response> {
  const response = await fetch(place, {
    headers: { 'accept-encoding': 'identity', ...headers },
    signal: ctx.signal,
  }).catch((cause: unknown) => {
    ctx.signal.throwIfAborted();
    throw failed(place, reasonOf(cause), cause);
  });
  if (!response.ok && response.status !== 416) {
    await response.body?.cancel();
    throw failed(place, `the server answered ${response.status}`);
  }
  return response;
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return inner instanceof Error ? inner.message : String(inner);
}

function failed(place: string, why: string, cause?: unknown): IngotError {
  return new IngotError('qemu/download-failed', `${place} could not be fetched: ${why}`, {
    hint: 'Run the build again: a download goes on where it broke.',
    ...(cause !== undefined && { cause }),
  });
}
