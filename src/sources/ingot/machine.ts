import type { Context } from '../../core/context.ts';
import type { Descriptor } from '../../core/descriptor.ts';
import { digestOf, sha256 } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';
import type { LayerChain } from '../../core/layer.ts';
import type { Ancestor, LockedImage } from '../../core/lock.ts';
import type { Machine } from '../../core/machine.ts';
import type { OutdatedInput, Pinned, PinContext } from '../../core/plugin.ts';
import { openArchive } from '../../disk/oci/archive.ts';
import { type Image, readImage, readText } from '../../disk/oci/image.ts';
import { lookupRelease } from '../../release/lookup.ts';
import type { Release, ReleasedOutput } from '../../release/manifest.ts';
import { openStore, type ReleaseStore } from '../../release/release-store.ts';
import { userReleases } from '../../release/user-releases.ts';
import { startOnImage } from '../image-machine.ts';
import { keptImage, lockedImage } from '../locked-image.ts';
import type { IngotOptions } from './options.ts';

const ROOTFS_LAYER = 'application/vnd.oci.image.layer.v1.tar+zstd';
const ANCESTOR = /^([^@\s]+)@([^@\s]+)@(sha256:[0-9a-f]{64})$/;

/** Whether the reference means another release by now. */
export async function outdated(options: IngotOptions, ctx: PinContext): Promise<readonly OutdatedInput[]> {
  const locked = lockedImage(requestOf(options), ctx)?.ancestry?.[0];
  const now = await lookupRelease(await storeOf(options, ctx), options.release);
  if (!locked || locked.digest === now.digest) return [];
  return [{ name: now.name, locked: locked.version, available: now.version, security: false }];
}

/** Locks which release the reference means. */
export async function pin(options: IngotOptions, ctx: PinContext): Promise<Pinned<IngotOptions>> {
  const lockKey = ctx.step;
  const entry =
    keptImage(requestOf(options), `release ${options.release}`, ctx) ?? (await lockRelease(options, ctx));
  ctx.lock.entries[lockKey] = entry;
  const [nearest] = entry.ancestry ?? [];
  if (!nearest) throw new IngotError('internal/unexpected', `the lock entry ${lockKey} names no release`);
  const { name, digest } = nearest;
  return { options: { ...options, pinned: { name, digest, manifest: entry.manifest } }, lockKey };
}

/** What the reference means now. */
async function lockRelease(options: IngotOptions, ctx: PinContext): Promise<LockedImage> {
  const store = await storeOf(options, ctx);
  const release = await lookupRelease(store, options.release);
  const { name, version, digest, annotations } = release;
  const manifest = await filesystemOf(store, release);
  const created = Math.floor(Date.parse(annotations['org.opencontainers.image.created'] ?? '') / 1000);
  return {
    kind: 'image',
    request: requestOf(options),
    image: `${name}@${version}`,
    manifest,
    ...(Number.isSafeInteger(created) && created > 0 && { date: created }),
    ancestry: [{ name, version, digest }, ...ancestorsOf(annotations['dev.ingot.ancestry'] ?? '')],
  };
}

/** The releases that a release itself stands on, as its annotation has them. */
function ancestorsOf(text: string): Ancestor[] {
  return text.split(' ').flatMap((word) => {
    const [, name, version, digest] = ANCESTOR.exec(word) ?? [];
    return name && version && digest ? [{ name, version, digest: digest as Ancestor['digest'] }] : [];
  });
}

/** The output that holds a filesystem in files: the manifest of the container image, or the archive. */
async function filesystemOf(store: ReleaseStore, release: Release): Promise<Descriptor> {
  const oci = release.outputs.find((o) => o.format === 'oci');
  if (oci) {
    await verify(store, release, oci);
    const { index } = await openArchive(pathOf(oci));
    const [first] = index;
    if (first)
      return {
        mediaType: first.descriptor.mediaType,
        digest: first.descriptor.digest,
        size: first.descriptor.size,
      };
  }
  const rootfs = release.outputs.find((o) => o.format === 'rootfs');
  if (rootfs) return { mediaType: ROOTFS_LAYER, digest: rootfs.digest, size: rootfs.size };
  throw new IngotError(
    'source/no-filesystem',
    `${release.name}@${release.version} has the outputs ${release.outputs.map((o) => o.format).join(', ')}; expected oci or rootfs among them`,
    { hint: 'Add output "oci" {} to the image file of that release, and release it under a new version.' },
  );
}

/** Reads an output once as a whole, which checks it against the release. */
async function verify(store: ReleaseStore, { name }: Release, output: ReleasedOutput): Promise<void> {
  for await (const _ of await store.repository(name).fetch(output));
}

function pathOf(output: ReleasedOutput): string {
  if (output.path !== undefined) return output.path;
  throw new IngotError('internal/unexpected', `${output.file} is in no store of this machine`);
}

/** A container on the filesystem of the release. */
export async function startMachine(
  options: IngotOptions,
  base: LayerChain | undefined,
  ctx: Context,
): Promise<Machine> {
  const { pinned } = options;
  if (!pinned) throw new IngotError('internal/unexpected', 'the source was started without being pinned');
  const store = await storeOf(options, ctx);
  const release = await lookupRelease(store, `${pinned.name}@${pinned.digest}`);
  const { manifest } = pinned;
  const oci = release.outputs.find((o) => o.format === 'oci');
  if (manifest.mediaType === ROOTFS_LAYER || !oci) {
    const image: Image = {
      manifest,
      config: manifest,
      layers: [{ blob: manifest }],
      settings: {},
    };
    return await startOnImage(image, async () => store.repository(pinned.name), base, options.boot, ctx);
  }
  const archive = await openArchive(pathOf(oci));
  const origin = {
    location: `${release.name}@${release.version}`,
    fetch: (d: Descriptor) => archive.fetch(d),
  };
  const image = await readImage(manifest, (descriptor) => verifiedText(origin, descriptor));
  return await startOnImage(image, async () => origin, base, options.boot, ctx);
}

async function verifiedText(origin: Parameters<typeof readText>[0], descriptor: Descriptor): Promise<string> {
  const text = await readText(origin, descriptor);
  if (sha256(text) === descriptor.digest) return text;
  throw new IngotError('store/corrupt', `${origin.location} holds something else than ${descriptor.digest}`, {
    hint: 'Publish the release again from the same lock.',
  });
}

async function storeOf({ store }: IngotOptions, ctx: Pick<Context, 'templateDir'>): Promise<ReleaseStore> {
  return await openStore(store ?? `oci-layout:${userReleases(process.env)}`, ctx.templateDir);
}

function requestOf({ release }: IngotOptions): ReturnType<typeof digestOf> {
  return digestOf({ release });
}
