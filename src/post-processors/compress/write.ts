import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Context } from '../../core/context.ts';
import { bgzfBytes } from './bgzf.ts';
import type { CompressFormat } from './format.ts';
import { compressBy } from './tools.ts';
import { zipBytes } from './zip.ts';

/** Writes the files to `target` in a format, at a level from 0 to 9. */
export async function write(
  target: string,
  files: readonly string[],
  { archive, compression }: CompressFormat,
  level: number,
  ctx: Context,
): Promise<void> {
  const source =
    archive === 'tar'
      ? tarOf(files)
      : archive === 'zip'
        ? Readable.from(zipBytes(files, level))
        : createReadStream(files[0] as string);
  const { signal } = ctx;
  const out = (): Writable => createWriteStream(target);
  switch (compression) {
    case undefined:
      return await pipeline(source, out(), { signal });
    case 'gzip':
      return await pipeline(source, createGzip({ level }), out(), { signal });
    case 'bgzf':
      return await pipeline(Readable.from(bgzfBytes(source, level)), out(), { signal });
    default:
      return await compressBy(compression, source, target, level, ctx);
  }
}

/** A tar archive with names without folders, and no date or owner: two runs give equal bytes. */
function tarOf(files: readonly string[]): Readable {
  const tar = pack();
  const fill = async (): Promise<void> => {
    for (const file of files) {
      const { size, mode } = await stat(file);
      const entry = tar.entry({ name: basename(file), size, mode: mode & 0o777, mtime: new Date(0) });
      await pipeline(createReadStream(file), entry);
    }
    tar.finalize();
  };
  fill().catch((error: unknown) => tar.destroy(error as Error));
  return Readable.from(tar);
}
