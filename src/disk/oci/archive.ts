import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Descriptor } from '../../core/descriptor.ts';
import type { Digest } from '../../core/digest.ts';
import { MAX_MANIFEST, parseIndex } from '../../store/oci-layout-index.ts';
import { badImage } from './bad-image.ts';
import { readTar } from './tar-reader.ts';

/** What an image layout offers, in a folder or in an archive. */
export interface LayoutSource {
  readonly index: readonly {
    readonly descriptor: Descriptor;
    readonly fields: Readonly<Record<string, unknown>>;
  }[];
  fetch(descriptor: Descriptor): Promise<ReadableStream<Uint8Array>>;
}

interface Place {
  readonly at: number;
  readonly size: number;
}

/**
 * An OCI image layout in a tar archive (image-spec, image-layout.md), read in place. Content is not checked here: who
 * reads it has its digest. Throws `disk/bad-image`, `disk/bad-tar`.
 */
export async function openArchive(path: string): Promise<LayoutSource> {
  const places = await findMembers(path);
  const index = places.get('index.json');
  if (!index || index.size > MAX_MANIFEST)
    throw badImage(`${path} has no index.json, so it is no OCI archive`);
  const text = Buffer.alloc(index.size);
  await using file = await open(path);
  await file.read(text, 0, index.size, index.at);
  return {
    index: parseIndex(text.toString('utf8'), `${path}: index.json`).entries,
    async fetch({ digest }) {
      const place = places.get(nameOf(digest));
      if (!place) throw badImage(`${path} has no ${digest}`);
      return Readable.toWeb(Readable.from(slice(await open(path), place))) as ReadableStream<Uint8Array>;
    },
  };
}

async function findMembers(path: string): Promise<Map<string, Place>> {
  await using file = await open(path);
  const places = new Map<string, Place>();
  for await (const { name, type, offset, size } of readTar(file.createReadStream({ autoClose: false })))
    if (type === '0') places.set(name.replace(/^\.\//, ''), { at: offset, size });
  return places;
}

function nameOf(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}

async function* slice(file: FileHandle, { at, size }: Place): AsyncGenerator<Uint8Array> {
  try {
    if (size === 0) return;
    yield* file.createReadStream({ start: at, end: at + size - 1, autoClose: false });
  } finally {
    await file.close();
  }
}
