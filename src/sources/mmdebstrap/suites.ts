import { rm } from 'node:fs/promises';
import type { PinContext } from '../../core/plugin.ts';
import type { LockedSuite } from '../../core/lock.ts';
import { IngotError } from '../../core/error.ts';
import type { WantedSuite } from './archives.ts';
import { isSecurity } from './archives.ts';
import type { BlobCache, Expected } from './blobs.ts';
import { fetchBlob, fetchBytes, NotFound } from './fetch.ts';
import type { Release } from './release.ts';
import { archiveName, checkFresh, checkSuite, parseRelease } from './release.ts';
import { together } from './together.ts';
import { verifySigned } from './verify.ts';

const MAX_RELEASE_BYTES = 16 << 20;

/** One component's list of packages, unpacked in the cache. */
export interface ComponentIndex {
  readonly component: string;
  readonly packages: Expected;
}

/** A suite as its mirror has it now: verified, with the lists of packages in the cache. */
export interface FetchedSuite {
  readonly locked: LockedSuite;
  /** The base URL that answered. */
  readonly base: string;
  readonly indexes: readonly ComponentIndex[];
}

export type FetchContext = Pick<PinContext, 'host' | 'workDir' | 'signal' | 'clock' | 'emit' | 'step'>;

export interface FetchRequest {
  readonly wanted: WantedSuite;
  readonly arch: string;
  readonly keyring: string;
  /** A snapshot is old on purpose: its Valid-Until is not judged. */
  readonly snapshot: boolean;
}

/** Fetches one suite's InRelease, verifies it, and fetches the package lists that it names. */
export async function fetchSuite(
  request: FetchRequest,
  cache: BlobCache,
  ctx: FetchContext,
): Promise<FetchedSuite> {
  const { wanted, arch } = request;
  const { base, bytes } = await firstRelease(wanted, ctx.signal);
  const where = `${base}/dists/${wanted.suite}/InRelease`;
  const release = parseRelease(await verifySigned(bytes, request.keyring, where, ctx), where);
  checkSuite(release, wanted.suite, where);
  if (!request.snapshot) checkFresh(release, ctx.clock.now(), where);
  const inRelease = await cache.put(bytes);
  const indexes = await together(
    ctx.signal,
    wanted.components.map((component) => async (signal: AbortSignal) => ({
      component,
      packages: await fetchIndex(
        release,
        `${component}/binary-${arch}/Packages`,
        [base],
        wanted.suite,
        cache,
        { ...ctx, signal },
      ),
    })),
  );
  return {
    base,
    indexes,
    locked: {
      archive: archiveName(release),
      suite: wanted.suite,
      components: wanted.components,
      inRelease: `sha256:${inRelease}`,
      date: release.date,
    },
  };
}

/**
 * Brings the file `path` of a suite into the cache, unpacked, and answers what it is. It is fetched in its
 * smallest form (xz, gz, plain), by hash where the archive offers that: then it never changes under us.
 */
export async function fetchIndex(
  release: Release,
  path: string,
  bases: readonly string[],
  suite: string,
  cache: BlobCache,
  ctx: Pick<FetchContext, 'host' | 'signal'>,
): Promise<Expected> {
  const plain = release.files.get(path);
  if (!plain) {
    const known = [...release.files.keys()].flatMap(
      (file) => /^((?!.*debian-installer).+)\/binary-[^/]+\/Packages$/.exec(file)?.[1] ?? [],
    );
    throw new IngotError('apt/no-component', `suite ${suite} has no ${path}`, {
      hint: `Its components are ${[...new Set(known)].sort().join(', ') || 'not listed'}.`,
    });
  }
  if (cache.has(plain.sha256, plain.size)) return plain;
  const packed = (['.xz', '.gz', ''] as const).find((extension) => release.files.has(path + extension)) ?? '';
  const expected = release.files.get(path + packed) ?? plain;
  if (!cache.has(expected.sha256, expected.size)) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    const byHash = release.byHash ? `${folder}/by-hash/SHA256/${expected.sha256}` : path + packed;
    const urls = bases.map((base) => `${base}/dists/${suite}/${byHash}`);
    await fetchBlob(urls, expected, cache, ctx.signal);
  }
  if (packed !== '') await unpackIndex(packed, expected, plain, cache, ctx);
  return plain;
}

async function unpackIndex(
  packed: '.xz' | '.gz',
  expected: Expected,
  plain: Expected,
  cache: BlobCache,
  ctx: Pick<FetchContext, 'host' | 'signal'>,
): Promise<void> {
  const partial = await cache.partial();
  // The size that the signed Release file names bounds what is unpacked.
  try {
    await ctx.host.run(
      'sh',
      [
        '-c',
        `${packed === '.xz' ? 'xz' : 'gzip'} -dc < "$1" | head -c "$2" > "$3"`,
        'sh',
        cache.path(expected.sha256),
        String(plain.size + 1),
        partial,
      ],
      { signal: ctx.signal },
    );
    await cache.keep(partial, plain.sha256);
  } finally {
    await rm(partial, { force: true });
  }
  if (await cache.verify(plain.sha256)) return;
  throw new IngotError(
    'apt/hash-mismatch',
    `the unpacked package list is not the one that the Release file names (${plain.sha256})`,
    {
      hint: 'The archive contradicts itself: try again later, or name another mirror with mirrors = […].',
    },
  );
}

async function firstRelease(
  wanted: WantedSuite,
  signal: AbortSignal,
): Promise<{ base: string; bytes: Buffer }> {
  let failure: unknown;
  for (const base of wanted.bases) {
    try {
      return {
        base,
        bytes: await fetchBytes(`${base}/dists/${wanted.suite}/InRelease`, MAX_RELEASE_BYTES, signal),
      };
    } catch (error) {
      if (signal.aborted) throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined && !(failure instanceof NotFound)) throw failure;
  throw new IngotError(
    'apt/no-suite',
    `no mirror has suite ${wanted.suite}: ${failure instanceof Error ? failure.message : 'no URL to ask'}`,
    {
      hint: isSecurity(wanted.suite)
        ? 'Name the security archive too: mirrors = ["…/debian", "…/debian-security"].'
        : 'Check suite and mirrors; a mirror URL ends where dists/ begins.',
      ...(failure !== undefined && { cause: failure }),
    },
  );
}
