import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { LockedPackage } from '../../core/lock.ts';
import type { BlobCache } from './blobs.ts';
import { together } from './together.ts';
import { DECOMPRESS, readDebLayout } from './deb.ts';

/** A package ready to unpack: its control archive plain, its data archive compressed with zstd. */
export interface OpenedPackage {
  readonly locked: LockedPackage;
  readonly control: Buffer;
  readonly data: Buffer;
}

type PrepareContext = Pick<Context, 'host' | 'signal'>;

/** Bytes in front of a prepared file: the length of its control archive. */
const HEAD = 8;
const WORKERS = 2;

/**
 * Opens packages of the cache. Debian packs with xz, whose unpacking costs more than everything else that a
 * bootstrap does; so each package is packed anew once, with zstd, and kept beside the original. The name of
 * such a file holds the digests of both, and its content is verified whenever it is read.
 */
export async function openPackages(
  packages: readonly LockedPackage[],
  cache: BlobCache,
  ctx: PrepareContext,
): Promise<OpenedPackage[]> {
  const queue = packages.map((locked, i) => ({ locked, i }));
  const opened: OpenedPackage[] = [];
  const worker = async (signal: AbortSignal) => {
    for (let next = queue.shift(); next && !signal.aborted; next = queue.shift()) {
      const { locked, i } = next;
      opened[i] = (await readPrepared(locked, cache)) ?? (await prepare(locked, cache, { ...ctx, signal }));
    }
    signal.throwIfAborted();
  };
  await together(
    ctx.signal,
    Array.from({ length: WORKERS }, () => worker),
  );
  return opened;
}

/** Packs a package anew where that was not done yet; its download is the time for it. */
export async function prepareOnce(
  locked: LockedPackage,
  cache: BlobCache,
  ctx: PrepareContext,
): Promise<void> {
  if (findPrepared(locked, cache) === undefined) await prepare(locked, cache, ctx);
}

function folderOf(locked: LockedPackage, cache: BlobCache): string {
  return join(cache.dir, 'prepared', locked.sha256.slice(0, 2));
}

function findPrepared(locked: LockedPackage, cache: BlobCache): string | undefined {
  const dir = folderOf(locked, cache);
  const name = existsSync(dir) ? readdirSync(dir).find((n) => n.startsWith(`${locked.sha256}.`)) : undefined;
  return name === undefined ? undefined : join(dir, name);
}

async function readPrepared(locked: LockedPackage, cache: BlobCache): Promise<OpenedPackage | undefined> {
  const path = findPrepared(locked, cache);
  if (path === undefined) return undefined;
  const bytes = await readFile(path);
  if (basename(path) !== nameOf(locked, bytes)) {
    await rm(path, { force: true });
    return undefined;
  }
  const end = HEAD + Number(bytes.readBigUInt64LE());
  return { locked, control: bytes.subarray(HEAD, end), data: bytes.subarray(end) };
}

function nameOf(locked: LockedPackage, bytes: Uint8Array): string {
  return `${locked.sha256}.${createHash('sha256').update(bytes).digest('hex')}`;
}

async function prepare(locked: LockedPackage, cache: BlobCache, ctx: PrepareContext): Promise<OpenedPackage> {
  const deb = cache.path(locked.sha256);
  if (!(await cache.verify(locked.sha256))) {
    throw new IngotError(
      'apt/cache-corrupt',
      `the cached file of ${locked.name} ${locked.version} is damaged; it was removed`,
      { hint: 'Build again: the package is then fetched anew.' },
    );
  }
  const { control, data } = readDebLayout(await readFile(deb), locked.filename);
  const [controlFile, dataFile] = [await cache.partial(), await cache.partial()];
  const cut = (from: string, length: string) => `tail -c "+${from}" "$1" | head -c "${length}"`;
  const script = `set -e
${cut('$2', '$3')} | ${DECOMPRESS[control.compression]} > "$6"
${cut('$4', '$5')} | ${DECOMPRESS[data.compression]} | zstd -q -1 -c > "$7"`;
  const numbers = [control, data].flatMap(({ start, end }) => [String(start + 1), String(end - start)]);
  try {
    await ctx.host.run('sh', ['-c', script, 'sh', deb, ...numbers, controlFile, dataFile], {
      signal: ctx.signal,
    });
    const parts = [Buffer.alloc(HEAD), await readFile(controlFile), await readFile(dataFile)] as const;
    parts[0].writeBigUInt64LE(BigInt(parts[1].length));
    await keepPrepared(locked, Buffer.concat(parts), cache);
    return { locked, control: parts[1], data: parts[2] };
  } finally {
    await rm(controlFile, { force: true });
    await rm(dataFile, { force: true });
  }
}

async function keepPrepared(locked: LockedPackage, bytes: Buffer, cache: BlobCache): Promise<void> {
  const partial = await cache.partial();
  try {
    await writeFile(partial, bytes);
    const path = join(folderOf(locked, cache), nameOf(locked, bytes));
    await mkdir(dirname(path), { recursive: true });
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
}
