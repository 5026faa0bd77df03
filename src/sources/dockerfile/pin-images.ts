import { digestOf } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';
import type { LockedImage } from '../../core/lock.ts';
import type { PinContext } from '../../core/plugin.ts';
import { readImage, selectManifest } from '../../disk/oci/image.ts';
import { parsePlatform } from '../../disk/oci/platform.ts';
import { documentReader } from '../../disk/oci/memory.ts';
import { openImage } from '../../disk/oci/origin.ts';
import { parseImageReference } from '../../store/registry/reference.ts';
import { keptImage } from '../locked-image.ts';
import type { UsedImage } from './images.ts';

export interface ImageRules {
  readonly platform: string;
  readonly insecure: boolean;
  /** Tags are taken, too, and locked. */
  readonly allowUnpinned: boolean;
}

/**
 * What each image is replaced by: `host/repository@digest` of the platform's manifest. Those with a tag only are refused,
 * all in one error that says the digest to write, unless they are allowed; then they are locked as sources are.
 */
export async function pinImages(
  images: readonly UsedImage[],
  base: string | undefined,
  rules: ImageRules,
  ctx: PinContext,
): Promise<ReadonlyMap<string, string>> {
  const loose = images.filter(({ reference }) => parseImageReference(reference).digest === undefined);
  if (loose.length > 0 && !rules.allowUnpinned) throw await unpinned(loose, rules, ctx);
  const pinned = new Map<string, string>();
  for (const { reference } of images) {
    if (pinned.has(reference)) continue;
    const { manifest } = await lockImage(reference, lockKeyOf(reference, base, ctx), rules, ctx);
    const { host, repository } = parseImageReference(reference);
    pinned.set(reference, `${host}/${repository}@${manifest.digest}`);
  }
  return pinned;
}

/** The base has the source's own key, by which the engine finds the build's date and origin. */
function lockKeyOf(reference: string, base: string | undefined, ctx: PinContext): string {
  return reference === base ? ctx.step : `${ctx.step}:${reference}`;
}

async function lockImage(
  reference: string,
  key: string,
  { platform, insecure }: ImageRules,
  ctx: PinContext,
): Promise<LockedImage> {
  const request = digestOf({ image: reference, platform });
  const kept = keptImage(request, `image ${reference}`, ctx, key);
  if (kept) return kept;
  const found = await find(reference, insecure, ctx);
  const manifest = await selectManifest(found.origin, await found.find(), parsePlatform(platform));
  const image = await readImage(
    manifest,
    documentReader(ctx.cacheDir, async () => found.origin),
  );
  const { created } = image;
  const locked: LockedImage = {
    kind: 'image',
    request,
    image: reference,
    manifest,
    ...(created !== undefined && { date: created }),
  };
  ctx.lock.entries[key] = locked;
  return locked;
}

async function unpinned(
  images: readonly UsedImage[],
  { insecure }: ImageRules,
  ctx: PinContext,
): Promise<IngotError> {
  const lines = await Promise.all(
    images.map(async ({ reference, line }) => {
      const digest = await find(reference, insecure, ctx)
        .then(async (found) => (await found.find()).digest)
        .catch((error: unknown) => error as Error);
      return typeof digest === 'string'
        ? `line ${line + 1}: write ${reference}@${digest}`
        : `line ${line + 1}: ${reference}, of which the digest is not known: ${digest.message}`;
    }),
  );
  const names = images.map(({ reference }) => reference).join(', ');
  return new IngotError(
    'source/unpinned-image',
    `the Dockerfile takes ${names} by a tag, which may be another image tomorrow`,
    {
      hint: `Pin it by digest (or set allow_unpinned = true, and the lock does it). ${lines.join('; ')}`,
    },
  );
}

async function find(reference: string, insecure: boolean, ctx: PinContext) {
  const location = { kind: 'registry' as const, reference: parseImageReference(reference) };
  return await openImage(location, { baseDir: ctx.templateDir, insecure }, ctx);
}
