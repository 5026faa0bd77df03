import { constants, gzipSync } from 'node:zlib';
import { IngotError } from '../../core/error.ts';
import { embeddedFiles } from './embedded-files.ts';
import { minify } from './minify.ts';
import { joinParts } from './multipart.ts';
import { CLOUD_CONFIG, type Part } from './part.ts';
import type { DataKind, Provider } from './providers.ts';
import { readYaml } from './read-yaml.ts';

/** How user-data was made smaller. */
export type Squeeze = 'as it is' | 'without comments' | 'compressed';

export interface Fitted {
  /** What the provider is handed. */
  readonly data: Buffer;
  /** Bytes as the provider counts them. */
  readonly size: number;
  readonly squeeze: Squeeze;
  /** `data` is base64, since the provider takes texts alone. */
  readonly isBase64: boolean;
}

/** Places that are told of data that does not fit. */
const TOLD = 8;

/**
 * User-data or vendor-data within the provider's limit: as it is where that fits, else without comments, else also
 * compressed by gzip, which cloud-init reads everywhere. Throws `render/too-large`, which says what takes the room.
 */
export function fitParts(kind: DataKind, parts: readonly Part[], provider: Provider): Fitted {
  const plain = fitted(joinParts(parts), 'as it is', provider);
  if (fits(plain.size, provider)) return plain;
  const small = parts.map(minify);
  const bare = fitted(joinParts(small), 'without comments', provider);
  if (fits(bare.size, provider)) return bare;
  const packed = fitted(gzip(joinParts(small)), 'compressed', provider);
  if (fits(packed.size, provider)) return packed;
  const limit = provider.limit as number;
  const counted = provider.counts === 'base64' ? ' after base64' : '';
  throw new IngotError(
    'render/too-large',
    `${kind} has ${plain.size} bytes${counted}, ${packed.size} compressed; ${provider.name} takes ${limit} (${provider.source})`,
    {
      hint: 'Put the largest of these into the image: a file with provisioner "file", what differs between machines as a template of first_boot.',
      output: heaviest(small),
    },
  );
}

/** A document that cloud-init reads without help. Throws `render/too-large`. */
export function fitText(kind: DataKind, text: string, provider: Provider): Fitted {
  const whole = fitted(Buffer.from(text), 'as it is', provider);
  if (fits(whole.size, provider)) return whole;
  throw new IngotError(
    'render/too-large',
    `${kind} has ${whole.size} bytes; ${provider.name} takes ${provider.limit}`,
    { hint: 'Only what names the instance and its network belongs in there.' },
  );
}

/** gzip that depends on nothing but its input: zlib writes no time, and Node.js calls every system Unix. */
export function gzip(data: Buffer): Buffer {
  return gzipSync(data, { level: constants.Z_BEST_COMPRESSION });
}

function fitted(data: Buffer, squeeze: Squeeze, provider: Provider): Fitted {
  const isBase64 = provider.sends === 'text' && squeeze === 'compressed';
  const sent = isBase64 ? Buffer.from(data.toString('base64')) : data;
  const size = provider.counts === 'base64' ? 4 * Math.ceil(sent.length / 3) : sent.length;
  return { data: sent, size, squeeze, isBase64 };
}

function fits(size: number, { limit }: Provider): boolean {
  return limit === undefined || size <= limit;
}

/** What takes the room, largest first, and what is left of it by compression. */
function heaviest(parts: readonly Part[]): string[] {
  const weights = parts.flatMap((part) => piecesOf(part));
  const lines = weights
    .map(({ what, text }) => ({
      what,
      size: Buffer.byteLength(text),
      packed: gzip(Buffer.from(text)).length,
    }))
    .sort((a, b) => b.packed - a.packed || (a.what < b.what ? -1 : 1))
    .map(({ what, size, packed }) => `${size} bytes, ${packed} compressed: ${what}`);
  const rest = lines.length - TOLD;
  return rest > 0 ? [...lines.slice(0, TOLD), `and ${rest} more`] : lines;
}

/** The entries of a #cloud-config, those of write_files each for itself; other parts as a whole. */
function piecesOf({ name, type, text }: Part): { what: string; text: string }[] {
  const value = type === CLOUD_CONFIG ? readYaml(name, text, [])?.value : undefined;
  if (typeof value !== 'object' || value === null) return [{ what: name, text }];
  const { write_files: _files, ...rest } = value as Record<string, unknown>;
  return [
    ...embeddedFiles(value).map(({ path, source }) => ({
      what: `${name}: write_files ${path}`,
      text: source,
    })),
    ...Object.entries(rest).map(([key, inner]) => ({
      what: `${name}: ${key}`,
      text: JSON.stringify(inner) ?? '',
    })),
  ];
}
