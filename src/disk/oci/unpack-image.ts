import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Context, note } from '../../core/context.ts';
import type { Descriptor } from '../../core/descriptor.ts';
import { type Digest, digestOf } from '../../core/digest.ts';
import { type Layer, type LayerCache, type LayerChain, layerFs } from '../../core/layer.ts';
import type { Image, ImageOrigin } from './image.ts';
import { badLayer, ImageTree } from './image-tree.ts';
import { readTreeOf, writeTreeOf } from './tree-note.ts';
import { unpackLayer } from './unpack-layer.ts';

/** Hashed into the identity of unpacked layers: bump it when what unpacking makes changes. */
const UNPACKER_VERSION = 1;

/**
 * The layers of an image as layers of the cache, lowest first, unpacked now where they are not there. Images that
 * share their lowest layers share them here, too. `origin` is only asked for what is missing. The caller holds a lease
 * on `layerIds(image)`.
 */
export async function unpackImage(
  image: Image,
  origin: () => Promise<ImageOrigin>,
  cache: LayerCache,
  ctx: Context,
): Promise<LayerChain> {
  const ids = layerIds(image);
  const chain: Layer[] = [];
  for (const id of ids) {
    const layer = await cache.lookup(id);
    if (!layer) break;
    chain.push(layer);
  }
  if (chain.length === ids.length) return chain;
  const from = await origin();
  const below = chain.at(-1);
  const tree = below ? await readTreeOf(below) : new ImageTree();
  for (const [i, { blob, diffId }] of image.layers.entries()) {
    if (i < chain.length) continue;
    note(
      ctx,
      `layer ${i + 1} of ${ids.length}: ${blob.digest.slice(7, 19)}, ${Math.ceil(blob.size / 1024)} KiB`,
    );
    await using scratch = await ctx.host.scratch(ctx.workDir, 'blob-');
    const path = join(scratch.dir, 'blob');
    await download(from, blob, path, ctx);
    await using staged = await cache.stage(ids[i] as Digest);
    const file = { path, mediaType: blob.mediaType, ...(diffId && { diffId }) };
    const counts = await unpackLayer(file, tree, i, layerFs(staged), ctx);
    if (counts.devices > 0)
      note(ctx, `${counts.devices} device nodes were left out: every machine brings its own /dev`);
    await writeTreeOf(staged, tree);
    const parents = chain.map((layer) => layer.id);
    chain.push(await staged.commit({ kind: 'overlay', parents, result: { ...counts } }));
  }
  return chain;
}

/** Identities of an image's unpacked layers, lowest first. Each covers the layers below (image-spec's chain id). */
export function layerIds(image: Pick<Image, 'layers'>): Digest[] {
  return image.layers.map((_, i) =>
    digestOf({
      kind: 'oci-layer',
      version: UNPACKER_VERSION,
      diffIds: image.layers.slice(0, i + 1).map((layer) => layer.diffId ?? layer.blob.digest),
    }),
  );
}

/** Writes a blob to a file, and checks it on the way. */
async function download(origin: ImageOrigin, blob: Descriptor, path: string, ctx: Context): Promise<void> {
  const hash = createHash('sha256');
  let size = 0;
  await using file = await open(path, 'wx', 0o600);
  for await (const chunk of await origin.fetch(blob)) {
    ctx.signal.throwIfAborted();
    size += chunk.length;
    if (size > blob.size) break;
    hash.update(chunk);
    await file.writeFile(chunk);
    ctx.emit({ type: 'step:progress', step: ctx.step, done: size, total: blob.size, unit: 'bytes' });
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (size !== blob.size || digest !== blob.digest)
    throw badLayer(
      `${origin.location} gave ${size} bytes that are ${digest}, and not ${blob.digest} of ${blob.size}`,
    );
}
