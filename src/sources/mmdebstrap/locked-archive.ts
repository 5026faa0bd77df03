import { readFile } from 'node:fs/promises';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { LockedApt, LockedPackage, LockedSuite } from '../../core/lock.ts';
import type { WantedSuite } from './archives.ts';
import type { BlobCache, Expected } from './blobs.ts';
import { fetchPackage } from './download.ts';
import { fetchBlob, fetchBytes, NotFound } from './fetch.ts';
import { parsePackages } from './packages-index.ts';
import { parseRelease, type Release } from './release.ts';
import { fetchIndex } from './suites.ts';

type ArchiveContext = Pick<Context, 'host' | 'signal'>;

/** What a path of an archive is. */
export type Located =
  | { readonly kind: 'file'; readonly path: string; readonly size: number }
  /** The archive is locked, and has no such file in the locked state. */
  | { readonly kind: 'absent' }
  /** No locked archive is meant. */
  | { readonly kind: 'foreign' };

/**
 * The locked state of the archives, file by file: InRelease, what it names, and the packages that those name.
 * All come from the cache, or from a mirror and then verified.
 */
export class LockedArchive {
  readonly #entry: LockedApt;
  readonly #places: readonly WantedSuite[];
  readonly #cache: BlobCache;
  readonly #ctx: ArchiveContext;
  readonly #releases = new Map<string, Promise<Release>>();
  #pool: Promise<ReadonlyMap<string, LockedPackage>> | undefined;

  constructor(entry: LockedApt, places: readonly WantedSuite[], cache: BlobCache, ctx: ArchiveContext) {
    this.#entry = entry;
    this.#places = places;
    this.#cache = cache;
    this.#ctx = ctx;
  }

  /** The file behind a URL's path, such as `/debian/dists/bookworm/InRelease`; in the cache afterwards. */
  async locate(urlPath: string): Promise<Located> {
    const path = decodeURIComponent(urlPath);
    if (path.split('/').includes('..')) return { kind: 'absent' };
    const dists = /^(.*?)\/dists\/(.+)$/.exec(path);
    if (dists?.[2] !== undefined) return this.#metadata(dists[2]);
    const pool = /^(.*?)\/(pool\/.+)$/.exec(path);
    if (pool?.[1] === undefined || pool[2] === undefined) return { kind: 'foreign' };
    return this.#package(pool[1].split('/').at(-1) ?? '', pool[2]);
  }

  async #metadata(rest: string): Promise<Located> {
    const suite = this.#entry.suites.find((s) => rest.startsWith(`${s.suite}/`));
    if (!suite) return { kind: 'foreign' };
    const file = rest.slice(suite.suite.length + 1);
    if (file === 'InRelease') {
      await this.#release(suite);
      const hex = hexOf(suite);
      const { length } = await readFile(this.#cache.path(hex));
      return { kind: 'file', path: this.#cache.path(hex), size: length };
    }
    const expected = wantedFile(await this.#release(suite), file);
    if (!expected) return { kind: 'absent' };
    const path = await fetchBlob(this.#urls(suite, file), expected, this.#cache, this.#ctx.signal).catch(
      (error: unknown) => {
        if (error instanceof NotFound) return undefined;
        throw error;
      },
    );
    return path === undefined ? { kind: 'absent' } : { kind: 'file', path, size: expected.size };
  }

  #urls(suite: LockedSuite, file: string): string[] {
    const place = this.#places.find((p) => p.suite === suite.suite);
    return (place?.bases ?? []).map((base) => `${base}/dists/${suite.suite}/${file}`);
  }

  #release(suite: LockedSuite): Promise<Release> {
    let release = this.#releases.get(suite.suite);
    if (!release) this.#releases.set(suite.suite, (release = this.#readRelease(suite)));
    return release;
  }

  async #readRelease(suite: LockedSuite): Promise<Release> {
    const hex = hexOf(suite);
    if (!this.#cache.has(hex)) await this.#refetchRelease(suite, hex);
    // Its digest is in the lock, where it came to after its signature was verified.
    const text = await readFile(this.#cache.path(hex), 'utf8');
    const signed =
      /^-----BEGIN PGP SIGNED MESSAGE-----\n(?:[^\n]+\n)*\n([\s\S]*?)\n-----BEGIN PGP SIGNATURE/.exec(text);
    return parseRelease(signed?.[1] ?? text, `${suite.suite}/InRelease`);
  }

  async #refetchRelease(suite: LockedSuite, hex: string): Promise<void> {
    for (const url of this.#urls(suite, 'InRelease')) {
      const bytes = await fetchBytes(url, 16 << 20, this.#ctx.signal).catch(() => undefined);
      if (bytes !== undefined && (await this.#cache.put(bytes)) === hex) return;
    }
    throw new IngotError(
      'apt/state-gone',
      `the locked state of ${suite.suite} (${new Date(suite.date * 1000).toISOString()}) is not in the cache, and the mirrors have moved on`,
      {
        hint: 'Run `ingot update` to move the lock to what the archive has now, or build from a state that is kept with snapshot = "…".',
      },
    );
  }

  async #package(base: string, filename: string): Promise<Located> {
    const key = (archive: string) => `${archive}/${filename}`;
    const own = this.#entry.packages.find((pkg) => pkg.filename === filename);
    let pkg = own;
    if (!pkg) {
      this.#pool ??= this.#readPool();
      const pool = await this.#pool;
      pkg = pool.get(key(base)) ?? this.#entry.suites.map((s) => pool.get(key(s.archive))).find((p) => p);
    }
    if (!pkg) return { kind: this.#entry.suites.some((s) => s.archive === base) ? 'absent' : 'foreign' };
    const path = await fetchPackage(pkg, this.#places, this.#cache, this.#ctx.signal);
    return { kind: 'file', path, size: pkg.size };
  }

  async #readPool(): Promise<ReadonlyMap<string, LockedPackage>> {
    const pool = new Map<string, LockedPackage>();
    for (const suite of this.#entry.suites) {
      const release = await this.#release(suite);
      const bases = this.#places.find((p) => p.suite === suite.suite)?.bases ?? [];
      for (const component of suite.components) {
        const list = `${component}/binary-amd64/Packages`;
        const index = await fetchIndex(release, list, bases, suite.suite, this.#cache, this.#ctx);
        for (const entry of parsePackages(await readFile(this.#cache.path(index.sha256), 'utf8'))) {
          pool.set(`${suite.archive}/${entry.filename}`, { ...entry, archive: suite.archive });
        }
      }
    }
    return pool;
  }
}

function hexOf(suite: LockedSuite): string {
  return suite.inRelease.slice('sha256:'.length);
}

/** A file that a Release file names: by its path, or by hash (`…/by-hash/SHA256/<hex>`). */
function wantedFile(release: Release, file: string): Expected | undefined {
  const byHash = /^(.*)\/by-hash\/SHA256\/([0-9a-f]{64})$/.exec(file);
  if (!byHash) return release.files.get(file);
  for (const [path, expected] of release.files) {
    if (expected.sha256 === byHash[2] && path.slice(0, path.lastIndexOf('/')) === byHash[1]) return expected;
  }
  return undefined;
}
