import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { type Digest, hexOf } from '../../core/digest.ts';
import type { LockedApt } from '../../core/lock.ts';
import { aptCache } from './blobs.ts';
import { type MirrorRequest, type WantedSuite, wantedSuites } from './archives.ts';
import { readHostSources } from './host-sources.ts';

/** Where the template says that the archive is. */
export type ArchivePlace = Omit<MirrorRequest, 'hostSources'>;

/**
 * Keeps the template's mirrors on this machine, by the request's digest: a mirror's URL enters no digest, lock
 * or image, yet what runs after pinning must know where to fetch from.
 */
export async function rememberPlace(
  request: Digest,
  place: ArchivePlace,
  ctx: Pick<Context, 'cacheDir'>,
): Promise<void> {
  const path = fileOf(request, ctx);
  const text = JSON.stringify(place);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  await mkdir(dirname(path), { recursive: true });
  const partial = await aptCache(ctx).partial();
  try {
    await writeFile(partial, text);
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
}

/** The suites of a lock entry and the URLs to try for them; the host's mirrors where the template named none. */
export function placesOf(entry: LockedApt, ctx: Pick<Context, 'cacheDir'>): WantedSuite[] {
  const path = fileOf(entry.request, ctx);
  const first = entry.suites[0];
  const place: ArchivePlace = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as ArchivePlace)
    : {
        suite: first?.suite ?? '',
        components: first?.components ?? [],
        mirrors: undefined,
        snapshot: undefined,
      };
  return wantedSuites({
    suite: place.suite,
    components: place.components,
    mirrors: place.mirrors,
    snapshot: place.snapshot,
    hostSources: readHostSources,
  });
}

function fileOf(request: Digest, ctx: Pick<Context, 'cacheDir'>): string {
  return join(ctx.cacheDir, 'apt', 'places', `${hexOf(request)}.json`);
}
