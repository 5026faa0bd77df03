import { IngotError } from '../core/error.ts';

/** Bucket and key of `bucket/key/of/object`; addresses can't tell apart keys with `.` or `..`. Throws `secrets/bad-reference`. */
export function splitBucket(backend: string, path: string): { bucket: string; key: string } {
  const [, bucket, key] = /^([A-Za-z0-9][A-Za-z0-9._-]{1,221})\/(.+)$/s.exec(path) ?? [];
  if (bucket !== undefined && key !== undefined && !/(?:^|\/)\.{1,2}(?:\/|$)/.test(key))
    return { bucket, key };
  throw new IngotError('secrets/bad-reference', `ref+${backend}://${path} names no bucket and object`, {
    hint: `Write ref+${backend}://bucket/key/of/object.`,
  });
}
