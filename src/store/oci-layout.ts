import { resolve } from 'node:path';
import type { ByteRange, ContentStore } from '../core/content-store.ts';
import type { Descriptor } from '../core/descriptor.ts';
import type { Digest } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import { LayoutFolder, tooLarge } from './oci-layout-folder.ts';
import { type Index, indexEntry, isManifestType, MAX_MANIFEST, REF_NAME } from './oci-layout-index.ts';

/** Tags are those of a registry (distribution-spec, "Pulling manifests"). */
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** Repository names are those of a registry, so that a layout can be copied to one. */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** One repository of a layout: content is shared by all, tags are its own. */
export interface OciRepository extends ContentStore {
  /** As `push`, from a file on this machine. */
  pushFile(descriptor: Descriptor, path: string): Promise<void>;
  /**
   * Tags when the tag points to `expected` (undefined: when it is not there), in one step; answers what the tag
   * points to now. Of two at once the first wins.
   */
  tagIf(descriptor: Descriptor, tag: string, expected: Digest | undefined): Promise<Descriptor>;
  /** Where the content lies on this machine. */
  blobPath(descriptor: Descriptor): string;
}

/** A folder in the shape of an OCI image layout 1.0 (image-spec, image-layout.md). */
export interface OciLayout {
  readonly dir: string;
  /** Tags of a repository are kept as `name:tag` in org.opencontainers.image.ref.name. */
  repository(name: string): OciRepository;
  /** Names that have a tag, sorted. */
  repositories(): Promise<string[]>;
}

/**
 * Opens the layout at `dir`, which the first write makes when there is nothing yet. Throws `store/not-a-layout` for a folder that holds
 * something else, `store/bad-index`. Safe with several processes at once, and with kill -9 at any moment.
 */
export async function openOciLayout(dir: string): Promise<OciLayout> {
  const root = resolve(dir);
  const layout = new LayoutFolder(root);
  await layout.check();
  return {
    dir: root,
    repository: (name) => repository(layout, name),
    async repositories() {
      const names = (await layout.readIndex()).entries.map((e) => e.descriptor.annotations?.[REF_NAME]);
      return [
        ...new Set(names.flatMap((n) => (n?.includes(':') ? [n.slice(0, n.lastIndexOf(':'))] : []))),
      ].sort();
    },
  };
}

function repository(layout: LayoutFolder, name: string): OciRepository {
  if (!REPOSITORY.test(name) || name.length > 200) {
    throw new IngotError(
      'store/bad-name',
      `"${name.slice(0, 80)}" is no repository name; expected lower-case words`,
      {
        hint: 'Letters, digits, and single . _ - between them; folders by /.',
      },
    );
  }
  const { blobs } = layout;
  const refName = (tag: string): string => `${name}:${checkTag(tag)}`;
  const named = (index: Index, ref: string): Descriptor | undefined =>
    index.entries.find((e) => e.descriptor.annotations?.[REF_NAME] === ref)?.descriptor;

  /** A manifest becomes known with all that it names; one with a subject must be findable without a tag. */
  const register = async (descriptor: Descriptor): Promise<void> => {
    if (!isManifestType(descriptor.mediaType)) return;
    const links = await layout.links(descriptor);
    for (const child of links.children) {
      if (await blobs.has(child)) continue;
      await blobs.delete(descriptor.digest);
      throw new IngotError(
        'store/incomplete',
        `manifest ${descriptor.digest} names ${child.digest}, which is missing`,
        {
          hint: 'Push what a manifest names before the manifest.',
        },
      );
    }
    if (links.subject === undefined) return;
    await layout.updateIndex((index) =>
      index.entries.some((e) => e.descriptor.digest === descriptor.digest)
        ? undefined
        : { ...index, entries: [...index.entries, indexEntry(descriptor)] },
    );
  };

  const put = async (
    descriptor: Descriptor,
    ref: string,
    mayReplace: (present: Digest) => boolean,
  ): Promise<Descriptor> => {
    if (!(await blobs.has(descriptor))) {
      throw new IngotError('store/not-found', `cannot tag ${ref}: there is no content ${descriptor.digest}`, {
        hint: 'Push a manifest before tagging it.',
      });
    }
    let result = descriptor;
    await layout.updateIndex((index) => {
      const present = named(index, ref);
      if (present && (present.digest === descriptor.digest || !mayReplace(present.digest))) {
        result = present;
        return undefined;
      }
      const others = index.entries.filter((e) => e.descriptor.annotations?.[REF_NAME] !== ref);
      return { ...index, entries: [...others, indexEntry(descriptor, ref)] };
    });
    return withoutRefName(result);
  };

  return {
    location: `oci-layout:${layout.root}#${name}`,
    has: (descriptor) => blobs.has(descriptor),
    fetch: (descriptor, range?: ByteRange) => blobs.fetch(descriptor, range),
    async push(descriptor, body) {
      if (isManifestType(descriptor.mediaType) && descriptor.size > MAX_MANIFEST) throw tooLarge(descriptor);
      await layout.prepare();
      await blobs.push(descriptor, body);
      // Also when it was there: a process killed after the push had no time to register it.
      await register(descriptor);
    },
    async pushFile(descriptor, path) {
      await layout.prepare();
      await blobs.pushFile(descriptor, path);
    },
    async resolve(tag) {
      const found = named(await layout.readIndex(), refName(tag));
      return found && withoutRefName(found);
    },
    async tag(descriptor, tag) {
      await put(descriptor, refName(tag), () => true);
    },
    tagIf: (descriptor, tag, expected) => put(descriptor, refName(tag), (present) => present === expected),
    async untag(tag) {
      const ref = refName(tag);
      await layout.updateIndex((index) => ({
        ...index,
        entries: index.entries.filter((e) => e.descriptor.annotations?.[REF_NAME] !== ref),
      }));
    },
    async tags() {
      const refs = (await layout.readIndex()).entries.map((e) => e.descriptor.annotations?.[REF_NAME] ?? '');
      return refs
        .filter((r) => r.startsWith(`${name}:`))
        .map((r) => r.slice(name.length + 1))
        .sort();
    },
    async referrers(digest: Digest, artifactType?: string) {
      const found = new Map<Digest, Descriptor>();
      for (const { descriptor } of (await layout.readIndex()).entries) {
        if (!isManifestType(descriptor.mediaType) || !(await blobs.has(descriptor))) continue;
        const links = await layout.links(descriptor);
        if (links.subject?.digest !== digest) continue;
        if (artifactType !== undefined && links.artifactType !== artifactType) continue;
        found.set(descriptor.digest, withoutRefName(descriptor));
      }
      return [...found.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    },
    async delete(descriptor) {
      // Names go first: a name must never point at nothing.
      await layout.updateIndex((index) => ({
        ...index,
        entries: index.entries.filter((e) => e.descriptor.digest !== descriptor.digest),
      }));
      await blobs.delete(descriptor.digest);
    },
    blobPath: (descriptor) => blobs.path(descriptor.digest),
  };
}

function checkTag(tag: string): string {
  if (TAG.test(tag)) return tag;
  throw new IngotError('store/bad-tag', `"${tag.slice(0, 80)}" is no tag`, {
    hint: 'Letters, digits, and . _ - behind the first one; 128 characters at most.',
  });
}

function withoutRefName(descriptor: Descriptor): Descriptor {
  return indexEntry(descriptor).descriptor;
}
