import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Digest, isDigest, sha256 } from '../../core/digest.ts';
import { badImage } from './bad-image.ts';
import { readSettings } from './container-settings.ts';
import type { Image, ImageOrigin } from './image.ts';
import { readTar } from './tar-reader.ts';

const LAYER = 'application/vnd.oci.image.layer.v1.tar';
const MAX_DOCUMENT = 4 * 1024 * 1024;

/**
 * The one image of what `docker save` writes (moby, image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset
 * Format"): layers lie there unpacked, so that a layer's digest is its diff id. Throws `disk/bad-image`.
 */
export async function openDockerArchive(path: string): Promise<{ image: Image; origin: ImageOrigin }> {
  const places = new Map<string, { at: number; size: number }>();
  const links = new Map<string, string>();
  {
    await using file = await open(path);
    for await (const member of readTar(file.createReadStream({ autoClose: false }))) {
      if (member.type === '0') places.set(member.name, { at: member.offset, size: member.size });
      // A layer that comes twice is a link to the first: ../<id>/layer.tar
      if (member.type === '2') links.set(member.name, member.linkName.replace(/^(\.\.\/)+/, ''));
    }
  }
  const placeOf = (name: string): { at: number; size: number } => {
    const place = places.get(links.get(name) ?? name);
    if (!place) throw badImage(`${path} has no ${name.slice(0, 100)}`);
    return place;
  };
  const document = async (name: string): Promise<string> => {
    const { at, size } = placeOf(name);
    if (size > MAX_DOCUMENT) throw badImage(`${name} has ${size} bytes`);
    await using file = await open(path);
    const bytes = Buffer.alloc(size);
    await file.read(bytes, 0, size, at);
    return bytes.toString('utf8');
  };
  const [entry] = JSON.parse(await document('manifest.json')) as { Config: string; Layers: string[] }[];
  if (!entry) throw badImage(`${path} has no image`);
  const text = await document(entry.Config);
  const { rootfs, config } = JSON.parse(text) as {
    rootfs: { diff_ids: Digest[] };
    config?: unknown;
  };
  const diffIds = rootfs.diff_ids;
  if (!diffIds.every(isDigest) || diffIds.length !== entry.Layers.length || diffIds.length === 0)
    throw badImage(`${path} names ${entry.Layers.length} layers and ${diffIds.length} diff_ids`);
  const blobs = new Map(entry.Layers.map((name, i) => [diffIds[i] as Digest, placeOf(name)]));
  const described = {
    mediaType: 'application/vnd.docker.container.image.v1+json',
    digest: sha256(text),
    size: text.length,
  };
  const image: Image = {
    manifest: described,
    config: described,
    layers: diffIds.map((diffId) => {
      const size = blobs.get(diffId)?.size ?? 0;
      return { blob: { mediaType: LAYER, digest: diffId, size }, diffId };
    }),
    settings: readSettings(config),
  };
  return {
    image,
    origin: {
      location: path,
      async fetch({ digest }) {
        const place = blobs.get(digest);
        if (!place) throw badImage(`${path} has no ${digest}`);
        const { at, size } = place;
        const stream = (await open(path)).createReadStream({ start: at, end: at + size - 1 });
        return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
      },
    },
  };
}
