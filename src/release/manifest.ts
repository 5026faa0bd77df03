import type { Descriptor } from '../core/descriptor.ts';
import { canonicalJson, type Digest, sha256 } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import { MANIFEST_TYPE, MAX_MANIFEST, manifestLinks } from '../store/oci-layout-index.ts';
import type { ReleaseRepository } from './release-store.ts';

/** artifactType of a release's manifest. */
export const RELEASE_TYPE = 'application/vnd.ingot.release.v1+json';
const TITLE = 'org.opencontainers.image.title';
const VERSION = 'org.opencontainers.image.version';
const NAME = 'vnd.ingot.image.name';
const FORMAT = 'vnd.ingot.output.format';
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
const EMPTY = '{}';

/** Guidance of image-spec, manifest.md: the config of what has none. */
export const EMPTY_CONFIG: Descriptor = { mediaType: EMPTY_TYPE, digest: sha256(EMPTY), size: EMPTY.length };

/** One exported format in a release. */
export interface ReleasedOutput {
  readonly format: string;
  /** File name. */
  readonly file: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: string;
  /** Where it lies, when the store is on this machine. */
  readonly path?: string;
}

/** A release as it stands in a store. */
export interface Release {
  readonly name: string;
  readonly version: string;
  /** Of the manifest: what a signature signs and a launch records. */
  readonly digest: Digest;
  readonly outputs: readonly ReleasedOutput[];
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ManifestInput {
  readonly name: string;
  readonly version: string;
  readonly outputs: readonly Omit<ReleasedOutput, 'path'>[];
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The OCI manifest of a release: outputs are its layers, sorted by format. A function of its input alone, so that
 * publishing the same content again gives the same digest.
 */
export function releaseManifest(input: ManifestInput): { descriptor: Descriptor; text: string } {
  const outputs = [...input.outputs].sort((a, b) => (a.format < b.format ? -1 : 1));
  return manifest({
    artifactType: RELEASE_TYPE,
    layers: outputs.map((o) => ({
      mediaType: o.mediaType,
      digest: o.digest,
      size: o.size,
      annotations: { [TITLE]: o.file, [FORMAT]: o.format },
    })),
    annotations: { ...input.annotations, [NAME]: input.name, [VERSION]: input.version },
  });
}

/** A manifest that speaks about `subject`: one file of evidence. */
export function evidenceManifest(
  subject: Descriptor,
  artifactType: string,
  layer: Descriptor,
  annotations?: Readonly<Record<string, string>>,
): { descriptor: Descriptor; text: string } {
  return manifest({ artifactType, layers: [layer], subject, ...(annotations && { annotations }) });
}

/** Text and descriptor of an image manifest without a config. */
function manifest(fields: {
  artifactType: string;
  layers: readonly Descriptor[];
  annotations?: Readonly<Record<string, string>>;
  subject?: Descriptor;
}): { descriptor: Descriptor; text: string } {
  const text = canonicalJson({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config: EMPTY_CONFIG, ...fields });
  return {
    text,
    descriptor: { mediaType: MANIFEST_TYPE, digest: sha256(text), size: Buffer.byteLength(text) },
  };
}

/** Reads a release back. Throws `release/not-a-release` when `descriptor` is something else. */
export async function readRelease(repository: ReleaseRepository, descriptor: Descriptor): Promise<Release> {
  const text = await readText(repository, descriptor);
  const { artifactType, children } = manifestLinks(text, descriptor.digest);
  const { annotations = {} } = JSON.parse(text) as { annotations?: Record<string, unknown> };
  const name = annotations[NAME];
  const version = annotations[VERSION];
  if (artifactType !== RELEASE_TYPE || typeof name !== 'string' || typeof version !== 'string') {
    throw new IngotError(
      'release/not-a-release',
      `${descriptor.digest} in ${repository.location} is no release`,
      {
        hint: `Expected a manifest of the type ${RELEASE_TYPE}; another tool may have written this tag.`,
      },
    );
  }
  const outputs = children.flatMap((layer): ReleasedOutput[] => {
    const format = layer.annotations?.[FORMAT];
    if (format === undefined) return [];
    const { mediaType, digest, size } = layer;
    const path = repository.blobPath?.(layer);
    return [
      {
        format,
        file: layer.annotations?.[TITLE] ?? format,
        digest,
        size,
        mediaType,
        ...(path !== undefined && { path }),
      },
    ];
  });
  return { name, version, digest: descriptor.digest, outputs, annotations: ownAnnotations(annotations) };
}

function ownAnnotations(all: Readonly<Record<string, unknown>>): Record<string, string> {
  const own = Object.entries(all).filter(([key]) => key !== NAME && key !== VERSION);
  return Object.fromEntries(own.map(([key, value]) => [key, String(value)]));
}

/** A small document of a store as text, verified. */
export async function readText(repository: ReleaseRepository, descriptor: Descriptor): Promise<string> {
  if (descriptor.size > MAX_MANIFEST) {
    throw new IngotError(
      'release/not-a-release',
      `${descriptor.digest} has ${descriptor.size} bytes; expected a manifest`,
      {
        hint: 'Another tool may have written this tag.',
      },
    );
  }
  return await new Response(await repository.fetch(descriptor)).text();
}

/** Pushes text that is at hand. */
export async function pushText(
  repository: ReleaseRepository,
  descriptor: Descriptor,
  text: string,
): Promise<void> {
  await repository.push(descriptor, () => new Blob([text]).stream());
}

export async function pushEmptyConfig(repository: ReleaseRepository): Promise<void> {
  await pushText(repository, EMPTY_CONFIG, EMPTY);
}
