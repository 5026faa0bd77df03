import type { Context } from '../../core/context.ts';
import { digestOf } from '../../core/digest.ts';
import { type LayerChain, layerFile } from '../../core/layer.ts';
import type { Scope } from '../../core/scope.ts';
import type { QemuDisk } from '../../host/qemu-command.ts';
import { LAYER_DISK } from '../../machines/vm/chain-disk.ts';
import { placeImage } from '../../machines/vm/place-image.ts';
import { openLayerCache } from '../../store/layer-cache.ts';
import type { PinnedImage } from './options.ts';

/** Hashed into the layer's identity: bump it when an image is placed in another way. */
const VERSION = 1;

/** The image as a layer of its own, below what its first start writes; held as long as `scope`. */
export async function imageLayer(
  { sha256 }: PinnedImage,
  image: QemuDisk,
  scope: Scope,
  ctx: Context,
): Promise<LayerChain> {
  const cache = await openLayerCache({ dir: ctx.cacheDir, host: ctx.host });
  const id = digestOf({ kind: 'qemu-image', version: VERSION, sha256 });
  scope.use(await cache.lease([id]), "the image's layer");
  const there = await cache.lookup(id);
  if (there) return [there];
  await using staged = await cache.stage(id);
  await placeImage(ctx, image, layerFile(staged, LAYER_DISK));
  return [await staged.commit({ kind: 'qcow2', parents: [], result: null })];
}
