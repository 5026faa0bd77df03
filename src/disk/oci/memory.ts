import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Descriptor } from '../../core/descriptor.ts';
import { hexOf, sha256 } from '../../core/digest.ts';
import { replaceFile } from '../../core/replace-file.ts';
import { badImage } from './bad-image.ts';
import { type ImageOrigin, readText } from './image.ts';

/**
 * Manifests and configurations of images in `<cacheDir>/oci`, so that an image whose layers are in the cache is built
 * without asking for it. Answers a reader that checks what it gives against the digest.
 */
export function documentReader(
  cacheDir: string,
  origin: () => Promise<ImageOrigin>,
): (descriptor: Descriptor) => Promise<string> {
  const dir = join(cacheDir, 'oci');
  return async (descriptor) => {
    const path = join(dir, hexOf(descriptor.digest));
    if (existsSync(path)) {
      const text = await readFile(path, 'utf8');
      if (sha256(text) === descriptor.digest) return text;
    }
    const from = await origin();
    const text = await readText(from, descriptor);
    if (sha256(text) !== descriptor.digest)
      throw badImage(`${from.location} gave other content than ${descriptor.digest}`);
    await replaceFile(path, text);
    return text;
  };
}
