import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Json } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';
import type { LockedFile } from '../../core/lock.ts';
import type { Pinned, PinContext } from '../../core/plugin.ts';
import { type Checksum, findChecksum, parseChecksum } from './checksum.ts';
import { containerRefusals } from './container-refusals.ts';
import { download, downloadPath, fetchSmall, localPath } from './download.ts';
import { rememberedHash } from './file-hash.ts';
import { readFiles } from './inputs.ts';
import type { PinnedImage, QemuSourceOptions } from './options.ts';
import { verifyList } from './signature.ts';

type ChecksumOptions = Pick<
  QemuSourceOptions,
  'iso_checksum' | 'iso_checksum_signature' | 'iso_checksum_keyring'
>;

/** Finds the image and everything else that the source reads, and what each of it is. */
export async function pinQemu(o: QemuSourceOptions, ctx: PinContext): Promise<Pinned<QemuSourceOptions>> {
  const engine = ctx.engine ?? 'vm';
  if (engine === 'container') containerRefusals(o);
  const places = [...(o.iso_url === undefined ? [] : [o.iso_url]), ...(o.iso_urls ?? [])];
  const image = await pinImage(places, o, ctx);
  const files = await readFiles(o, ctx);
  const key = image.lockKey;
  return {
    options: { ...o, engine, pinned: image.pinned },
    hashed: {
      engine,
      image: image.pinned.sha256,
      files: files as unknown as Json,
      // It was not always started then.
      ...(o.communicator === 'none' && o.disk_image && { starts: true }),
    },
    startsFrom: image.pinned.places.filter((place) => isAbsolute(place)),
    ...(key !== undefined && { lockKey: key }),
  };
}

async function pinImage(
  places: readonly string[],
  o: ChecksumOptions,
  ctx: PinContext,
): Promise<{ readonly pinned: PinnedImage; readonly lockKey?: string }> {
  for (const place of places) {
    const path = localPath(place, ctx);
    if (path === undefined || !(await isFile(path))) continue;
    // A file beside the template is an input like any other: its content is what counts.
    const wanted = await checksumOf(o, place, ctx);
    const hashes = join(ctx.cacheDir, 'hashes');
    if (wanted) {
      const found = await rememberedHash(path, wanted.name, hashes, ctx.signal);
      if (found !== wanted.hex) throw mismatch(place, wanted, found);
    }
    const sha256 = await rememberedHash(path, 'sha256', hashes, ctx.signal);
    return { pinned: { sha256, places: [path] } };
  }
  const remote = places.filter((place) => localPath(place, ctx) === undefined);
  if (remote.length === 0) {
    throw new IngotError('qemu/no-image', `there is no file ${places.join(' or ')}`, {
      hint: 'Paths start at the folder of the template.',
    });
  }
  return await pinRemote(remote, o, ctx);
}

async function pinRemote(
  places: readonly string[],
  o: ChecksumOptions,
  ctx: PinContext,
): Promise<{ readonly pinned: PinnedImage; readonly lockKey: string }> {
  const lockKey = ctx.step;
  const entry = ctx.lock.entries[lockKey];
  const locked = entry?.kind === 'file' && ctx.mode !== 'update' ? entry : undefined;
  const literal = parseChecksum(o.iso_checksum ?? '');
  const agrees = locked && (literal?.name !== 'sha256' || literal.hex === locked.sha256);
  if (locked && agrees) return { lockKey, pinned: { sha256: locked.sha256, places } };
  if (ctx.mode === 'locked') {
    throw new IngotError('qemu/not-locked', `the lock does not hold the image ${places[0]}`, {
      hint: 'Build once without --locked, and commit ingot.lock.json.',
    });
  }
  const found = await fetchFirst(places, o, ctx);
  ctx.lock.entries[lockKey] = { kind: 'file', ...found } satisfies LockedFile;
  return { lockKey, pinned: { sha256: found.sha256, places } };
}

async function fetchFirst(
  places: readonly string[],
  o: ChecksumOptions,
  ctx: PinContext,
): Promise<{ readonly sha256: string; readonly size: number }> {
  let failure: unknown;
  for (const place of places) {
    try {
      const wanted = await checksumOf(o, place, ctx);
      if (wanted?.name === 'sha256') {
        const kept = await stat(downloadPath(wanted.hex, ctx)).catch(() => undefined);
        if (kept) return { sha256: wanted.hex, size: kept.size };
      }
      return await download(place, wanted, ctx);
    } catch (error) {
      ctx.signal.throwIfAborted();
      failure ??= error;
    }
  }
  throw failure;
}

/** What `iso_checksum` says of one place; undefined for `none`. */
async function checksumOf(o: ChecksumOptions, place: string, ctx: PinContext): Promise<Checksum | undefined> {
  const text = o.iso_checksum ?? '';
  if (text === 'none') return undefined;
  if (!text.startsWith('file:')) {
    const checksum = parseChecksum(text);
    if (checksum) return checksum;
    throw new IngotError('qemu/bad-checksum', `iso_checksum "${text}" is no checksum`, {
      hint: 'Write "sha256:" and 64 hexadecimal digits, "file:URL", or "none".',
    });
  }
  const where = text.slice('file:'.length);
  const list = await readPlace(where.startsWith('//') ? text : where, ctx);
  if (o.iso_checksum_signature !== undefined && o.iso_checksum_keyring !== undefined) {
    const signature = await readPlace(o.iso_checksum_signature, ctx);
    const keyring = localPath(o.iso_checksum_keyring, ctx) as string;
    await verifyList(list, signature, keyring, where, ctx);
  }
  const found = findChecksum(list.toString('utf8'), place);
  if (found) return found;
  throw new IngotError('qemu/bad-checksum', `the list ${where} does not name ${place}`, {
    hint: 'Is it the list of that very release?',
  });
}

/** The content of a small file, here or elsewhere. */
async function readPlace(place: string, ctx: PinContext): Promise<Buffer> {
  const path = localPath(place, ctx);
  return path === undefined ? await fetchSmall(place, ctx) : await readFile(path);
}

/** The image as a file of this machine; what the cache has lost is fetched again. */
export async function imageFile(pinned: PinnedImage, ctx: Parameters<typeof download>[2]): Promise<string> {
  const kept = downloadPath(pinned.sha256, ctx);
  for (const place of pinned.places) if (isAbsolute(place)) return place;
  if (await isFile(kept)) return kept;
  let failure: unknown;
  for (const place of pinned.places) {
    try {
      await download(place, { name: 'sha256', hex: pinned.sha256 }, ctx);
      return kept;
    } catch (error) {
      ctx.signal.throwIfAborted();
      failure ??= error;
    }
  }
  throw failure;
}

/** A local image may have been replaced since it was hashed. Throws `engine/input-changed`. */
export async function requireImage(
  path: string,
  sha256: string,
  ctx: Pick<PinContext, 'cacheDir' | 'signal'>,
): Promise<void> {
  const found = await rememberedHash(path, 'sha256', join(ctx.cacheDir, 'hashes'), ctx.signal);
  if (found === sha256) return;
  throw new IngotError(
    'engine/input-changed',
    `${path} changed while the build ran: it has the sha256 ${found}, and ${sha256} was planned`,
    { hint: 'Build again when whatever writes the image has ended.' },
  );
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (s) => s.isFile(),
    () => false,
  );
}

function mismatch(place: string, wanted: Checksum, found: string): IngotError {
  return new IngotError(
    'qemu/checksum-mismatch',
    `${place} has the ${wanted.name} ${found}, expected ${wanted.hex}`,
    { hint: 'Has the image been replaced by a newer one? Then take the new checksum from its publisher.' },
  );
}
