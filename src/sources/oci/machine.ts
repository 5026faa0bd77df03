import type { Context } from '../../core/context.ts';
import type { Descriptor } from '../../core/descriptor.ts';
import { digestOf } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';
import type { LayerChain } from '../../core/layer.ts';
import type { Machine } from '../../core/machine.ts';
import type { OutdatedInput, Pinned, PinContext } from '../../core/plugin.ts';
import { readImage, selectManifest } from '../../disk/oci/image.ts';
import { documentReader } from '../../disk/oci/memory.ts';
import { parseImageLocation } from '../../disk/oci/location.ts';
import { type FoundImage, openImage } from '../../disk/oci/origin.ts';
import { parsePlatform } from '../../disk/oci/platform.ts';
import { once, startOnImage } from '../image-machine.ts';
import { keptImage, lockedImage } from '../locked-image.ts';
import type { OciOptions } from './options.ts';

/** Whether the reference means another image by now. */
export async function outdated(options: OciOptions, ctx: PinContext): Promise<readonly OutdatedInput[]> {
  const locked = lockedImage(requestOf(options), ctx);
  const now = await currentManifest(options, ctx);
  if (!locked || now.digest === locked.manifest.digest) return [];
  const name = options.image;
  return [{ name, locked: locked.manifest.digest, available: now.digest, security: false }];
}

/** Locks which manifest the reference means. */
export async function pin(options: OciOptions, ctx: PinContext): Promise<Pinned<OciOptions>> {
  const lockKey = ctx.step;
  const locked = keptImage(requestOf(options), `image ${options.image}`, ctx);
  const found = once(() => open(options, ctx));
  const manifest = locked?.manifest ?? (await currentManifest(options, ctx, await found()));
  const image = await readImage(
    manifest,
    documentReader(ctx.cacheDir, async () => (await found()).origin),
  );
  ctx.lock.entries[lockKey] = {
    kind: 'image',
    request: requestOf(options),
    image: options.image,
    manifest,
    ...(image.created !== undefined && { date: image.created }),
  };
  return { options: { ...options, manifest }, lockKey };
}

/** A container on the image's layers. */
export async function startMachine(
  options: OciOptions,
  base: LayerChain | undefined,
  ctx: Context,
): Promise<Machine> {
  const { manifest } = options;
  if (!manifest) throw new IngotError('internal/unexpected', 'the source was started without being pinned');
  const origin = once(async () => (await open(options, ctx)).origin);
  const image = await readImage(manifest, documentReader(ctx.cacheDir, origin));
  return await startOnImage(image, origin, base, options.boot, ctx);
}

async function open(
  options: OciOptions,
  ctx: Pick<Context, 'host' | 'signal' | 'templateDir'>,
): Promise<FoundImage> {
  const { image, insecure } = options;
  return await openImage(parseImageLocation(image), { baseDir: ctx.templateDir, insecure }, ctx);
}

/** What the reference means now, for the platform. */
async function currentManifest(
  options: OciOptions,
  ctx: PinContext,
  found?: FoundImage,
): Promise<Descriptor> {
  const place = found ?? (await open(options, ctx));
  return await selectManifest(place.origin, await place.find(), parsePlatform(options.platform));
}

function requestOf({ image, platform }: OciOptions): ReturnType<typeof digestOf> {
  return digestOf({ image, platform });
}
