import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { Context } from '../../core/context.ts';
import type { Descriptor } from '../../core/descriptor.ts';
import { type Digest, hexOf, isDigest } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';
import { parseIndex, REF_NAME } from '../../store/oci-layout-index.ts';
import { credentialsFor } from '../../store/registry/credentials.ts';
import { openRegistry } from '../../store/registry/registry.ts';
import { type LayoutSource, openArchive } from './archive.ts';
import { badImage } from './bad-image.ts';
import type { ImageOrigin } from './image.ts';
import type { ImageLocation } from './location.ts';

/** A place of images, and the one that was asked for there. */
export interface FoundImage {
  readonly origin: ImageOrigin;
  /** Of the index or manifest that the reference points to now, or, with `digest`, of that content. */
  find(digest?: Digest): Promise<Descriptor>;
}

export interface OriginOptions {
  /** Folder that relative paths start from. */
  readonly baseDir: string;
  readonly insecure?: boolean;
}

/** Opens the place; nothing is fetched yet from a registry. */
export async function openImage(
  location: ImageLocation,
  options: OriginOptions,
  ctx: Pick<Context, 'host' | 'signal'>,
): Promise<FoundImage> {
  if (location.kind === 'registry') {
    const { host, repository, tag, digest: pinned } = location.reference;
    const origin = openRegistry({
      host,
      repository,
      credentials: () => credentialsFor(host, ctx.host),
      signal: ctx.signal,
      ...(options.insecure && { insecure: true }),
    });
    return {
      origin,
      async find(digest = pinned) {
        const name = digest ?? tag ?? 'latest';
        const found = await origin.resolve(name);
        if (found) return found;
        throw new IngotError('store/not-found', `${origin.location} has no ${name}`, {
          hint: 'Check repository and tag; what was locked may have been deleted there: run `ingot update`.',
        });
      },
    };
  }
  const path = resolve(options.baseDir, location.path);
  const source = location.kind === 'layout' ? await openFolder(path) : await openArchive(path);
  return {
    origin: { location: path, fetch: (descriptor) => source.fetch(descriptor) },
    find: async (digest) => findInIndex(source, path, location.ref, digest),
  };
}

function findInIndex(
  { index }: LayoutSource,
  path: string,
  ref: string | undefined,
  digest: Digest | undefined,
): Descriptor {
  const names = index.flatMap(({ descriptor }) => descriptor.annotations?.[REF_NAME] ?? []);
  const wanted = digest ?? (ref !== undefined && isDigest(ref) ? ref : undefined);
  const fits = index.filter(({ descriptor }) =>
    wanted !== undefined
      ? descriptor.digest === wanted
      : ref === undefined || descriptor.annotations?.[REF_NAME] === ref,
  );
  const [first] = fits;
  if (first && fits.every(({ descriptor }) => descriptor.digest === first.descriptor.digest))
    return first.descriptor;
  const asked = wanted ?? ref;
  if (asked === undefined)
    throw badImage(`${path} has ${index.length} images; name one of ${names.join(', ')}`);
  throw badImage(
    `${path} has no ${asked}; it has ${names.join(', ') || `${index.length} images without a name`}`,
  );
}

/** An image layout in a folder, which is only read. */
async function openFolder(dir: string): Promise<LayoutSource> {
  const path = join(dir, 'index.json');
  if (!existsSync(join(dir, 'oci-layout')) || !existsSync(path))
    throw badImage(`${dir} is no OCI image layout: it needs the files oci-layout and index.json`);
  return {
    index: parseIndex(await readFile(path, 'utf8'), path).entries,
    async fetch({ digest }) {
      const file = await open(join(dir, 'blobs', 'sha256', hexOf(digest))).catch((cause: unknown) => {
        throw badImage(`${dir} has no ${digest}`, cause);
      });
      return Readable.toWeb(file.createReadStream()) as ReadableStream<Uint8Array>;
    },
  };
}
