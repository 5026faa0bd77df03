import { gunzipSync } from 'node:zlib';
import { MAX_BYTES } from './part.ts';

/** A file that a #cloud-config brings along in `write_files`. */
export interface EmbeddedFile {
  readonly path: string;
  /** As the machine will have it; undefined where it can't be decoded. */
  readonly content: Buffer | undefined;
  /** As it stands in the document. */
  readonly source: string;
}

/** The files of `write_files` (cloud-init docs, module "Write Files"), decoded. */
export function embeddedFiles(config: unknown): EmbeddedFile[] {
  const list = (config as { write_files?: unknown } | null)?.write_files;
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown) => {
    const { path, content, encoding } = (entry ?? {}) as Record<string, unknown>;
    if (typeof path !== 'string' || typeof content !== 'string') return [];
    return [
      { path, content: decode(content, typeof encoding === 'string' ? encoding : ''), source: content },
    ];
  });
}

function decode(content: string, encoding: string): Buffer | undefined {
  const isBase64 = /^(?:b64|base64)$|\+(?:b64|base64)$/i.test(encoding.trim());
  const isGzip = /^(?:gz|gzip)(?:\+|$)/i.test(encoding.trim());
  const bytes = isBase64 ? Buffer.from(content, 'base64') : Buffer.from(content, isGzip ? 'latin1' : 'utf8');
  if (!isGzip) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch {
    return undefined;
  }
}
