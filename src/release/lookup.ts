import type { Descriptor } from '../core/descriptor.ts';
import { type Digest, isDigest } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import { nearest } from '../template/nearest.ts';
import { channelHistory } from './channel.ts';
import { type Release, readRelease } from './manifest.ts';
import {
  channelOfTag,
  channelTag,
  compareVersions,
  isChannelName,
  parseReference,
  tagVersion,
  versionTag,
} from './names.ts';
import type { ReleaseRepository, ReleaseStore } from './release-store.ts';

/** A release, and the channels that point to it, sorted. */
export interface ListedRelease extends Release {
  readonly channels: readonly string[];
}

/** Releases of one image or of all: names in order, the highest version first. */
export async function listReleases(store: ReleaseStore, name?: string): Promise<ListedRelease[]> {
  const names = name === undefined ? await store.repositories() : [await knownName(store, name)];
  const listed: ListedRelease[] = [];
  for (const image of names) {
    const repository = store.repository(image);
    const tags = await repository.tags();
    const channels = tags.flatMap((tag) => channelOfTag(tag) ?? []);
    const heads = await Promise.all(channels.map(async (c) => (await channelHistory(store, image, c))[0]));
    const releases: ListedRelease[] = [];
    for (const tag of tags) {
      const descriptor = channelOfTag(tag) === undefined ? await repository.resolve(tag) : undefined;
      if (descriptor === undefined) continue;
      const release = await readRelease(repository, descriptor);
      const own = channels.filter((_, i) => heads[i]?.release.digest === release.digest);
      releases.push({ ...release, channels: own.sort() });
    }
    listed.push(...releases.sort((a, b) => compareVersions(b.version, a.version)));
  }
  return listed;
}

/**
 * The release that `web@1.2.0`, `web@dev` (a channel), `web@sha256:…` or `web` (the highest version) names. A version wins over a
 * channel of the same name. Throws `release/bad-reference`, `release/unknown` with the nearest name.
 */
export async function lookupRelease(store: ReleaseStore, reference: string): Promise<Release> {
  const { name, selector } = parseReference(reference);
  await knownName(store, name);
  const repository = store.repository(name);
  const descriptor = await select(store, name, selector);
  if (descriptor) return await readRelease(repository, descriptor);
  const tags = await repository.tags();
  const known = tags.map((tag) => channelOfTag(tag) ?? tag);
  const near = selector === undefined ? undefined : nearest(selector, known);
  throw new IngotError('release/unknown', `${store.location} has no ${reference}`, {
    hint: near ? `Did you mean ${name}@${near}?` : `\`ingot release list ${name}\` shows what there is.`,
  });
}

async function select(
  store: ReleaseStore,
  name: string,
  selector: string | undefined,
): Promise<Descriptor | undefined> {
  const repository = store.repository(name);
  if (selector === undefined) {
    const versions = (await repository.tags()).filter((tag) => channelOfTag(tag) === undefined);
    const highest = versions.sort((a, b) => compareVersions(tagVersion(a), tagVersion(b))).at(-1);
    return highest === undefined ? undefined : await repository.resolve(highest);
  }
  if (isDigest(selector)) return await byDigest(repository, selector);
  const release = await repository.resolve(versionTag(selector));
  if (release || !isChannelName(selector)) return release;
  const channel = await repository.resolve(channelTag(selector));
  return channel && (await channelHistory(store, name, selector))[0]?.release;
}

async function byDigest(repository: ReleaseRepository, digest: Digest): Promise<Descriptor | undefined> {
  for (const tag of await repository.tags()) {
    const descriptor = channelOfTag(tag) === undefined ? await repository.resolve(tag) : undefined;
    if (descriptor?.digest === digest) return descriptor;
  }
  return undefined;
}

async function knownName(store: ReleaseStore, name: string): Promise<string> {
  const names = await store.repositories();
  if (names.includes(name)) return name;
  const near = nearest(name, names);
  throw new IngotError('release/unknown', `${store.location} has no releases of "${name}"`, {
    hint: near
      ? `Did you mean ${near}?`
      : names.length > 0
        ? `It has: ${names.join(', ')}.`
        : 'It is empty; --store names another one.',
  });
}
