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

/** A file name without extension from the stamp's name: it is the same wherever the file is put. */
export function fileStem(stamp: Readonly<Record<string, string>>): string {
  return (
    (stamp.name ?? '')
      .replace(/[^A-Za-z0-9._-]/g, '_')
      .replace(/^\.+/, '')
      .slice(0, 80) || 'disk'
  );
}
