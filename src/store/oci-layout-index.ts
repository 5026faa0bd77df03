import type { Descriptor } from '../core/descriptor.ts';
import { isDigest } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';

/** Name of a manifest in an index.json (image-spec, annotations.md). */
export const REF_NAME = 'org.opencontainers.image.ref.name';
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** Most bytes of an index.json or a manifest; registries take 4 MiB. */
export const MAX_MANIFEST = 4 * 1024 * 1024;
const MAX_ENTRIES = 20_000;

type Fields = Readonly<Record<string, unknown>>;

/** An entry of an index: the descriptor, and everything that was written there (platform, artifactType, …). */
export interface IndexEntry {
  readonly descriptor: Descriptor;
  readonly fields: Fields;
}

export interface Index {
  readonly entries: readonly IndexEntry[];
  readonly fields: Fields;
}

export const EMPTY_INDEX: Index = {
  entries: [],
  fields: { schemaVersion: 2, mediaType: INDEX_TYPE },
};

/** Reads an index.json (image-spec, image-index.md). `where` names it in `store/bad-index`. */
export function parseIndex(text: string, where: string): Index {
  const fields = parseObject(text, where);
  if (fields.schemaVersion !== 2) {
    throw bad(where, `schemaVersion is ${JSON.stringify(fields.schemaVersion)}; expected 2`);
  }
  const list = fields.manifests;
  if (!Array.isArray(list)) throw bad(where, 'manifests is not a list');
  if (list.length > MAX_ENTRIES)
    throw bad(where, `${list.length} manifests; expected ${MAX_ENTRIES} at most`);
  const entries = list.map((value: unknown, i) => ({
    descriptor: readDescriptor(value, `${where}: manifests[${i}]`),
    fields: value as Fields,
  }));
  return { entries, fields };
}

export function formatIndex(index: Index): string {
  return `${JSON.stringify({ ...index.fields, manifests: index.entries.map((e) => e.fields) }, null, 2)}\n`;
}

/** An entry for `descriptor`, named when `name` is given. */
export function indexEntry(descriptor: Descriptor, name?: string): IndexEntry {
  const { [REF_NAME]: _, ...rest } = descriptor.annotations ?? {};
  const annotations = name === undefined ? rest : { ...rest, [REF_NAME]: name };
  const { mediaType, digest, size } = descriptor;
  const named = { mediaType, digest, size, ...(Object.keys(annotations).length > 0 && { annotations }) };
  return { descriptor: named, fields: named };
}

/** What a manifest says about other content. */
export interface ManifestLinks {
  readonly artifactType: string | undefined;
  readonly subject: Descriptor | undefined;
  /** Config, layers and manifests: what must be there for the manifest to be whole. */
  readonly children: readonly Descriptor[];
}

/** Reads the links of an image manifest or index (image-spec, manifest.md). */
export function manifestLinks(text: string, where: string): ManifestLinks {
  const fields = parseObject(text, where);
  const children: Descriptor[] = [];
  if (fields.config !== undefined) children.push(readDescriptor(fields.config, `${where}: config`));
  for (const key of ['layers', 'manifests']) {
    const list = fields[key] ?? [];
    if (!Array.isArray(list) || list.length > MAX_ENTRIES)
      throw bad(where, `${key} is not a list of sane length`);
    for (const [i, value] of list.entries()) children.push(readDescriptor(value, `${where}: ${key}[${i}]`));
  }
  const config = fields.config as Fields | undefined;
  const artifactType = fields.artifactType ?? config?.mediaType;
  return {
    artifactType: typeof artifactType === 'string' ? artifactType : undefined,
    subject: fields.subject === undefined ? undefined : readDescriptor(fields.subject, `${where}: subject`),
    children,
  };
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === MANIFEST_TYPE || mediaType === INDEX_TYPE;
}

/** A descriptor from outside (image-spec, descriptor.md); unknown fields are left out. Throws `store/bad-index`. */
export function readDescriptor(value: unknown, where: string): Descriptor {
  if (!isObject(value)) throw bad(where, 'not an object');
  const { mediaType, digest, size, annotations } = value;
  if (typeof mediaType !== 'string' || !/^[\w.+-]+\/[\w.+-]+$/.test(mediaType) || mediaType.length > 255) {
    throw bad(where, `mediaType is ${shorten(mediaType)}; expected type/subtype`);
  }
  if (!isDigest(digest)) throw bad(where, `digest is ${shorten(digest)}; expected sha256: and 64 hex digits`);
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw bad(where, `size is ${shorten(size)}`);
  if (annotations === undefined) return { mediaType, digest, size: size as number };
  if (!isObject(annotations) || !Object.values(annotations).every((v) => typeof v === 'string')) {
    throw bad(where, 'annotations is not a map of strings');
  }
  return { mediaType, digest, size: size as number, annotations: annotations as Record<string, string> };
}

function parseObject(text: string, where: string): Fields {
  if (text.length > MAX_MANIFEST) throw bad(where, `longer than ${MAX_MANIFEST} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad(where, (cause as Error).message, cause);
  }
  if (!isObject(value)) throw bad(where, 'not a JSON object');
  return value;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shorten(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 100);
}

function bad(where: string, what: string, cause?: unknown): IngotError {
  return new IngotError('store/bad-index', `${where}: ${what}`, {
    hint: 'The store was written by something else, or is damaged. Restore it, or give another folder.',
    cause,
  });
}
