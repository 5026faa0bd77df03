import { createHash } from 'node:crypto';
import type { Digest } from '../../core/digest.ts';

/** 32 bytes that follow from the seed, another 32 for each purpose. */
export function derive(seed: Digest, purpose: string): Buffer {
  return createHash('sha256').update(`${seed}\0${purpose}`).digest();
}

/** The 16 bytes of a UUID, version 8 (RFC 9562, section 5.8: made by a rule of one's own). */
export function deriveUuid(seed: Digest, purpose: string): Buffer {
  const bytes = derive(seed, purpose).subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return bytes;
}

/** A UUID's text form. */
export function uuidText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

type Stamp = Readonly<Record<string, string>>;

const NAME_KEYS = ['org.opencontainers.image.title', 'name'];
const VERSION_KEYS = ['org.opencontainers.image.version', 'version'];

/** Keys of a stamp that `titleOf` reads. */
export const TITLE_KEYS: ReadonlySet<string> = new Set([...NAME_KEYS, ...VERSION_KEYS]);

/** The image's name and version in a stamp, under OCI's keys or plain ones. */
export function titleOf(stamp: Stamp): {
  readonly name: string | undefined;
  readonly version: string | undefined;
} {
  const first = (keys: readonly string[]) =>
    keys.map((key) => stamp[key]).find((value) => value !== undefined);
  return { name: first(NAME_KEYS), version: first(VERSION_KEYS) };
}

/** A file name without extension from the stamp's name: it is the same wherever the file is put. */
export function fileStem(stamp: Stamp): string {
  const name = (titleOf(stamp).name ?? '').replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '');
  return name.slice(0, 80) || 'disk';
}
