import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Context } from '../../core/context.ts';
import type { Digest } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';
import { badLayer, type ImageTree } from './image-tree.ts';
import { filterLayer, type LayerCounts, type LayerLimits } from './layer-filter.ts';
import { readTar } from './tar-reader.ts';

export interface LayerFile {
  /** The compressed archive; its digest has been checked. */
  readonly path: string;
  readonly mediaType: string;
  /** Of the archive before compression (image-spec, config.md, "rootfs.diff_ids"). */
  readonly diffId?: Digest;
}

export type UnpackContext = Pick<Context, 'host' | 'workDir' | 'signal'>;

/** What is far more than any image, and far less than what would fill a builder unseen. */
export const LAYER_LIMITS: LayerLimits = { members: 2_000_000, bytes: 64 * 2 ** 30 };

/**
 * Unpacks a layer into the empty folder `target`, which becomes an overlayfs upper folder. What GNU tar gets here was
 * filtered member by member (`filterLayer`); Node can set neither devices nor extended attributes itself. Needs root.
 * Throws `disk/bad-layer`, `disk/bad-tar`.
 */
export async function unpackLayer(
  file: LayerFile,
  tree: ImageTree,
  layer: number,
  target: string,
  ctx: UnpackContext,
  limits = LAYER_LIMITS,
): Promise<LayerCounts> {
  await using scratch = await ctx.host.scratch(ctx.workDir, 'layer-');
  const archive = await plainArchive(file, limits, scratch.dir, ctx);
  const hash = createHash('sha256');
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of archive) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const counts: LayerCounts = { members: 0, bytes: 0, devices: 0 };
  const bytes = hashed();
  let failure: unknown;
  async function* filtered(): AsyncGenerator<Buffer> {
    try {
      yield* filterLayer(readTar(bytes), tree, layer, limits, counts);
      // What is behind the archive's end is part of its digest.
      for await (const _rest of bytes);
    } catch (error) {
      failure = error instanceof IngotError ? error : badLayer((error as Error).message, error);
      throw error;
    }
  }
  const args = ['-x', '-f', '-', '-P', '-p', '--numeric-owner', '--same-owner', '--delay-directory-restore'];
  try {
    await ctx.host.run('tar', [...args, '--xattrs', '--xattrs-include=*', '-C', target], {
      input: Readable.from(filtered()),
      signal: ctx.signal,
    });
  } catch (error) {
    ctx.signal.throwIfAborted();
    throw failure ?? error;
  }
  const found = `sha256:${hash.digest('hex')}`;
  if (file.diffId !== undefined && found !== file.diffId)
    throw badLayer(`its archive is ${found}, and the image's configuration says ${file.diffId}`);
  return counts;
}

/** The archive without its compression, by what its media type says (image-spec, layer.md). */
async function plainArchive(
  { path, mediaType }: LayerFile,
  limits: LayerLimits,
  dir: string,
  ctx: UnpackContext,
): Promise<AsyncIterable<Buffer>> {
  if (/[.+]gzip$/.test(mediaType)) {
    const source = createReadStream(path);
    const plain = createGunzip();
    source.on('error', (error) => plain.destroy(error));
    return source.pipe(plain);
  }
  if (/[.+]zstd$/.test(mediaType)) {
    const target = `${dir}/layer.tar`;
    // Room for headers besides the files; what is longer is cut, and then has another digest.
    const most = String(limits.bytes * 2);
    const script = 'zstd -q -dc -- "$1" | head -c "$2" > "$3"';
    await ctx.host.run('sh', ['-c', script, 'sh', path, most, target], { signal: ctx.signal });
    return createReadStream(target);
  }
  if (/[.]tar$/.test(mediaType)) return createReadStream(path);
  throw badLayer(`its media type is ${mediaType}; expected a tar archive, plain or by gzip or zstd`);
}
