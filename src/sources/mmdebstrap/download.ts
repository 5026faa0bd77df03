import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { LockedPackage } from '../../core/lock.ts';
import { isSecurity, type WantedSuite } from './archives.ts';
import type { BlobCache } from './blobs.ts';
import { fetchBlob, NotFound } from './fetch.ts';
import { prepareOnce } from './prepared.ts';
import { together } from './together.ts';

const CONNECTIONS = 6;

/** Base URLs to try for a package, the likely ones first: those of suites of its own archive. */
export function basesFor(archive: string, wanted: readonly WantedSuite[]): string[] {
  const security = archive.endsWith('-security');
  const own = wanted.filter((w) => isSecurity(w.suite) === security);
  const others = wanted.filter((w) => isSecurity(w.suite) !== security);
  return [...new Set([...own, ...others].flatMap((w) => w.bases))];
}

/** Brings one locked package into the cache and answers its path. Nothing is fetched when it is there. */
export async function fetchPackage(
  pkg: LockedPackage,
  wanted: readonly WantedSuite[],
  cache: BlobCache,
  signal: AbortSignal,
  onBytes?: (count: number) => void,
): Promise<string> {
  if (cache.has(pkg.sha256, pkg.size)) return cache.path(pkg.sha256);
  const urls = basesFor(pkg.archive, wanted).map((base) => `${base}/${encodeURI(pkg.filename)}`);
  try {
    return await fetchBlob(urls, pkg, cache, signal, onBytes);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    throw new IngotError(
      'apt/package-gone',
      `the mirror no longer has ${pkg.name} ${pkg.version}, which the lock names: ${error.message}`,
      {
        hint: 'Run `ingot update` to move the lock to what the archive has now, or build from a state that is kept with snapshot = "…".',
        cause: error,
      },
    );
  }
}

/** Brings packages into the cache, several at a time and ready to unpack, with progress in bytes. */
export async function fetchPackages(
  packages: readonly LockedPackage[],
  wanted: () => readonly WantedSuite[],
  cache: BlobCache,
  ctx: Pick<Context, 'host' | 'signal' | 'emit' | 'step'>,
): Promise<void> {
  const missing = packages.filter((pkg) => !cache.has(pkg.sha256, pkg.size));
  if (missing.length === 0) return;
  const suites = wanted();
  const total = missing.reduce((sum, pkg) => sum + pkg.size, 0);
  let done = 0;
  // Large ones first, so that no long transfer starts last.
  const queue = [...missing].sort((a, b) => b.size - a.size);
  const worker = async (signal: AbortSignal) => {
    for (let pkg = queue.shift(); pkg; pkg = queue.shift()) {
      const what = pkg.name;
      await fetchPackage(pkg, suites, cache, signal, (count) => {
        done += count;
        ctx.emit({ type: 'step:progress', step: ctx.step, done, total, unit: 'bytes', what });
      });
      await prepareOnce(pkg, cache, { ...ctx, signal });
    }
  };
  await together(
    ctx.signal,
    Array.from({ length: CONNECTIONS }, () => worker),
  );
}
