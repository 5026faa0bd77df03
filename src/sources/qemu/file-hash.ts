import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../core/digest.ts';
import { replaceFile } from '../../core/replace-file.ts';

export type HashName = 'md5' | 'sha1' | 'sha256' | 'sha512';

/** Hex digest of a file's bytes. */
export async function hashFile(path: string, name: HashName, signal: AbortSignal): Promise<string> {
  const hash = createHash(name);
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 1 << 20 }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The same, remembered below `dir` by path, inode, size and time of the last write: images are big. */
export async function rememberedHash(
  path: string,
  name: HashName,
  dir: string,
  signal: AbortSignal,
): Promise<string> {
  const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
  const note = join(dir, sha256([path, dev, ino, size, mtimeNs, name].join('\0')).slice(7));
  const known = await readFile(note, 'utf8').catch(() => undefined);
  if (known !== undefined && /^[0-9a-f]{32,128}$/.test(known)) return known;
  const hash = await hashFile(path, name, signal);
  await replaceFile(note, hash);
  return hash;
}
