import type { ContainerSettings } from '../../core/container-settings.ts';
import type { ContentStore } from '../../core/content-store.ts';
import type { Descriptor } from '../../core/descriptor.ts';
import { type Digest, isDigest } from '../../core/digest.ts';
import { manifestLinks, MAX_MANIFEST } from '../../store/oci-layout-index.ts';
import { badImage } from './bad-image.ts';
import { readSettings } from './container-settings.ts';
import type { Platform } from './platform.ts';

/** A place that has images. */
export type ImageOrigin = Pick<ContentStore, 'location' | 'fetch'>;

/** An image of one platform: what is needed to unpack it. */
export interface Image {
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly ImageLayer[];
  /** When it was made, seconds since 1970; absent where it does not say. */
  readonly created?: number;
  readonly settings: ContainerSettings;
}

export interface ImageLayer {
  readonly blob: Descriptor;
  /** Of the archive before compression; absent where nothing says it. */
  readonly diffId?: Digest;
}

const INDEX = /^application\/vnd\.(oci\.image\.index\.v1|docker\.distribution\.manifest\.list\.v2)\+json$/;
const MANIFEST = /^application\/vnd\.(oci\.image\.manifest\.v1|docker\.distribution\.manifest\.v2)\+json$/;
const LAYER =
  /^application\/vnd\.(oci\.image\.layer\.v1\.tar|docker\.image\.rootfs\.diff\.tar)([.+](gzip|zstd))?$/;
const MAX_LAYERS = 500;

/** The manifest of an image for `platform`: the one given, or the one that an index names. */
export async function selectManifest(
  origin: ImageOrigin,
  descriptor: Descriptor,
  platform: Platform,
): Promise<Descriptor> {
  if (!INDEX.test(descriptor.mediaType)) return descriptor;
  const text = await readText(origin, descriptor);
  manifestLinks(text, descriptor.digest);
  const { manifests } = JSON.parse(text) as { manifests: readonly (Descriptor & { platform?: Platform })[] };
  const fits = manifests.find(
    ({ platform: p, mediaType }) =>
      MANIFEST.test(mediaType) &&
      p?.os === platform.os &&
      p.architecture === platform.architecture &&
      (platform.variant === undefined || p.variant === platform.variant),
  );
  const only = manifests.length === 1 && manifests[0]?.platform === undefined ? manifests[0] : undefined;
  const chosen = fits ?? only;
  if (chosen) return { mediaType: chosen.mediaType, digest: chosen.digest, size: chosen.size };
  const there = manifests.flatMap(({ platform: p }) => (p ? [`${p.os}/${p.architecture}`] : []));
  throw badImage(
    `${origin.location} has it for ${there.join(', ') || 'no platform'}, and ${platform.os}/${platform.architecture} was asked for`,
  );
}

/** Reads manifest and configuration. `read` gives the text of a small document, verified. */
export async function readImage(
  manifest: Descriptor,
  read: (descriptor: Descriptor) => Promise<string>,
): Promise<Image> {
  if (!MANIFEST.test(manifest.mediaType))
    throw badImage(`${manifest.digest} is of the type ${manifest.mediaType}; expected an image manifest`);
  const { children } = manifestLinks(await read(manifest), manifest.digest);
  const [config, ...blobs] = children;
  if (!config || blobs.length === 0 || blobs.length > MAX_LAYERS)
    throw badImage(`${manifest.digest} has ${blobs.length} layers; expected 1 to ${MAX_LAYERS}`);
  const fields = parseConfig(await read(config), config.digest);
  const { diffIds } = fields;
  // Some writers name empty layers in the manifest only.
  if (diffIds.length !== blobs.length)
    throw badImage(`its manifest has ${blobs.length} layers and its configuration ${diffIds.length}`);
  const layers = blobs.map((blob, i): ImageLayer => {
    if (!LAYER.test(blob.mediaType)) throw badImage(`layer ${i} is of the type ${blob.mediaType}`);
    return { blob, diffId: diffIds[i] as Digest };
  });
  const { created, settings } = fields;
  return { manifest, config, layers, settings, ...(created !== undefined && { created }) };
}

function parseConfig(
  text: string,
  where: string,
): { diffIds: Digest[]; created?: number; settings: ContainerSettings } {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw badImage(`the configuration ${where} is not JSON`, cause);
  }
  const fields = record(data);
  const diffIds = record(fields.rootfs).diff_ids;
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest))
    throw badImage(`the configuration ${where} has no diff_ids`);
  const seconds = Math.floor(Date.parse(String(fields.created)) / 1000);
  return {
    diffIds,
    ...(Number.isSafeInteger(seconds) && seconds > 0 && { created: seconds }),
    settings: readSettings(fields.config),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** A small document of a place, whole and verified. */
export async function readText(origin: ImageOrigin, descriptor: Descriptor): Promise<string> {
  if (descriptor.size > MAX_MANIFEST)
    throw badImage(`${descriptor.digest} has ${descriptor.size} bytes; expected a manifest or configuration`);
  return await new Response(await origin.fetch(descriptor)).text();
}
