import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import type { Context } from '../core/context.ts';
import type { Descriptor } from '../core/descriptor.ts';
import { digestOf } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import type { LayerChain } from '../core/layer.ts';
import type { LockedImage } from '../core/lock.ts';
import type { Machine } from '../core/machine.ts';
import type { Pinned, PinContext, Source } from '../core/plugin.ts';
import { parsePlatform, readImage, selectManifest } from '../disk/oci/image.ts';
import { documentReader } from '../disk/oci/memory.ts';
import { type FoundImage, openImage, parseImageLocation } from '../disk/oci/origin.ts';
import { once, startOnImage } from './image-machine.ts';

const ociSpec = bodySpec(
  {
    image: attr.string(
      'The image: docker://host/repository:tag, oci:/folder[:ref] or oci-archive:/file.tar[:ref].',
      { required: true },
    ),
    platform: attr.string('Which of a multi-platform image.', { default: 'linux/amd64' }),
    insecure: attr.bool('The registry is asked without TLS.', { default: false, unhashed: true }),
    boot: attr.bool('Run systemd while provisioning.', { default: false }),
  },
  {},
  (o): OptionProblem[] => {
    for (const [path, parse] of [
      ['image', parseImageLocation],
      ['platform', parsePlatform],
    ] as const) {
      try {
        parse(o[path]);
      } catch (error) {
        const { message, hint } = error as IngotError;
        return [{ path: [path], message, ...(hint !== undefined && { hint }) }];
      }
    }
    return [];
  },
);

/** As pinned: which manifest it is. */
type OciOptions = OptionsOf<typeof ociSpec> & { readonly manifest?: Descriptor };

/** `source "oci"`: starts from a container image, without any daemon (docs/sources/oci.md). */
export const ociSource: Source<OciOptions> = {
  type: 'oci',
  version: 2,
  produces: 'rootfs',
  schema: () => Promise.resolve(ociSpec),
  pin,
  start,

  async outdated(options, ctx) {
    const locked = lockedImage(options, ctx);
    const now = await currentManifest(options, ctx);
    if (!locked || now.digest === locked.manifest.digest) return [];
    const name = options.image;
    return [{ name, locked: locked.manifest.digest, available: now.digest, security: false }];
  },
};

async function pin(options: OciOptions, ctx: PinContext): Promise<Pinned<OciOptions>> {
  const lockKey = ctx.step;
  const locked = ctx.mode === 'update' ? undefined : lockedImage(options, ctx);
  if (!locked && ctx.mode === 'locked') {
    throw new IngotError('source/not-locked', `the lock does not say which image ${options.image} is`, {
      hint: 'Build once without --locked, or run `ingot update`, and commit ingot.lock.json.',
    });
  }
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

async function start(options: OciOptions, base: LayerChain | undefined, ctx: Context): Promise<Machine> {
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

function lockedImage(options: OciOptions, ctx: PinContext): LockedImage | undefined {
  const entry = ctx.lock.entries[ctx.step];
  return entry?.kind === 'image' && entry.request === requestOf(options) ? entry : undefined;
}

function requestOf({ image, platform }: OciOptions): ReturnType<typeof digestOf> {
  return digestOf({ image, platform });
}
