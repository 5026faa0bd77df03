import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { FileDescriptor } from '../core/descriptor.ts';
import { type Digest, sha256 } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';

/**
 * Describes the host files that a step reads, folders with everything below them, sorted by path. Paths are
 * as written (relative to `templateDir`), so that a plan is the same wherever the template lies.
 * Throws `plan/file-missing` for a path that is not there, unless `isOptional`.
 */
export async function describeFiles(
  paths: readonly string[],
  templateDir: string,
  isOptional = false,
): Promise<FileDescriptor[]> {
  const found: FileDescriptor[] = [];
  for (const path of paths) {
    const real = isAbsolute(path) ? path : join(templateDir, path);
    // What the template names is followed; what lies below it is not.
    const top = await stat(real).catch(() => undefined);
    if (!top && isOptional) continue;
    if (!top) {
      throw new IngotError('plan/file-missing', `the file ${path} is not there, but the template reads it`, {
        hint: `Looked for ${real}. Relative paths start at the template's folder if it has an image file, else at the current one.`,
      });
    }
    await describe(path, real, top, found);
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

async function describe(path: string, real: string, info: Stats, found: FileDescriptor[]): Promise<void> {
  const mode = info.mode & 0o7777;
  if (info.isDirectory()) {
    found.push({ path: path.endsWith('/') ? path : `${path}/`, digest: sha256(''), mode, size: 0 });
    for (const name of await readdir(real)) {
      const below = join(real, name);
      await describe(join(path, name), below, await lstat(below), found);
    }
  } else if (info.isSymbolicLink()) {
    const target = await readlink(real);
    found.push({ path, digest: sha256(`link:${target}`), mode: 0o777, size: target.length });
  } else if (info.isFile()) {
    found.push({ path, digest: await hashFile(real), mode, size: info.size });
  } else {
    throw new IngotError('plan/file-kind', `${path} is neither file, folder nor link`, {
      hint: 'Sockets, pipes and devices cannot be part of a build; leave them out of the folder.',
    });
  }
}

/** sha256 of a file's content, read in pieces. */
export async function hashFile(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}
