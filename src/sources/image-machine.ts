import type { Context } from '../core/context.ts';
import type { LayerChain } from '../core/layer.ts';
import type { Machine } from '../core/machine.ts';
import { Scope } from '../core/scope.ts';
import type { Image, ImageOrigin } from '../disk/oci/image.ts';
import { layerIds, unpackImage } from '../disk/oci/unpack-image.ts';
import { startContainer } from '../machines/container.ts';
import { imageEnvironment } from '../machines/container/image-environment.ts';
import { ownedMachine } from '../machines/owned-machine.ts';
import { openLayerCache } from '../store/layer-cache.ts';

/**
 * A container on the layers of an image, or on `base`, which stands on these. Layers that the cache lacks are fetched
 * from `origin` and unpacked. The image's variables are those of every command, and its settings are those of what is made from it.
 */
export async function startOnImage(
  image: Image,
  origin: () => Promise<ImageOrigin>,
  base: LayerChain | undefined,
  boot: boolean,
  ctx: Context,
): Promise<Machine> {
  ctx.host.requireRoot('to unpack an image with its owners and to start containers');
  const cache = await openLayerCache({ dir: ctx.cacheDir, host: ctx.host });
  await using scope = new Scope();
  scope.use(await cache.lease(layerIds(image)), "the image's layers");
  const chain = base ?? (await unpackImage(image, origin, cache, ctx));
  const env = imageEnvironment(image.settings.Env ?? []);
  const container = scope.use(await startContainer({ base: chain, boot, env }, ctx), 'the container');
  return ownedMachine(container, scope.move(), image.settings);
}

/** Work that is done at most once, when its result is first asked for. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= work());
}
