import { mkdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ByteRange, ContentStore } from '../core/content-store.ts';
import type { Descriptor } from '../core/descriptor.ts';
import type { Digest } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import { BlobFolder } from './oci-layout-blobs.ts';
import {
  EMPTY_INDEX,
  formatIndex,
  type Index,
  indexEntry,
  isManifestType,
  type ManifestLinks,
  MAX_MANIFEST,
  manifestLinks,
  parseIndex,
  REF_NAME,
} from './oci-layout-index.ts';
import { withLock } from './oci-layout-lock.ts';

const LAYOUT = '{"imageLayoutVersion":"1.0.0"}';
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
 * Opens the layout at `dir`, made when there is nothing yet. Throws `store/not-a-layout` for a folder that holds
 * something else, `store/bad-index`. Safe with several processes at once, and with kill -9 at any moment.
 */
export async function openOciLayout(dir: string): Promise<OciLayout> {
  const root = resolve(dir);
  const layout = new LayoutFolder(root);
  await layout.prepare();
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

class LayoutFolder {
  readonly root: string;
  readonly blobs: BlobFolder;

  constructor(root: string) {
    this.root = root;
    this.blobs = new BlobFolder(root);
  }

  async prepare(): Promise<void> {
    const marker = join(this.root, 'oci-layout');
    await mkdir(join(this.root, 'blobs', 'sha256'), { recursive: true });
    const found = await readFile(marker, 'utf8').catch(absent);
    if (found === undefined) {
      await withLock(this.#lock, async () => {
        // The marker comes last: where it is, the rest is.
        if ((await stat(this.#index).catch(absent)) === undefined) {
          await this.blobs.replace(this.#index, formatIndex(EMPTY_INDEX));
        }
        await this.blobs.replace(marker, LAYOUT);
      });
    } else if (!/"imageLayoutVersion"\s*:\s*"1\.\d+\.\d+"/.test(found.slice(0, 1024))) {
      throw new IngotError(
        'store/not-a-layout',
        `${marker} is ${JSON.stringify(found.slice(0, 80))}; expected ${LAYOUT}`,
        {
          hint: 'Give a folder of its own to the release store.',
        },
      );
    }
    await this.readIndex();
  }

  async readIndex(): Promise<Index> {
    const { size } = await stat(this.#index);
    if (size > MAX_MANIFEST) return parseIndex(' '.repeat(MAX_MANIFEST + 1), this.#index);
    return parseIndex(await readFile(this.#index, 'utf8'), this.#index);
  }

  /** Reads, changes and replaces the index, alone. `change` answers undefined to leave it. */
  async updateIndex(change: (index: Index) => Index | undefined): Promise<void> {
    await withLock(this.#lock, async () => {
      const changed = change(await this.readIndex());
      if (changed) await this.blobs.replace(this.#index, formatIndex(changed));
      await this.blobs.sweep();
    });
  }

  async links(descriptor: Descriptor): Promise<ManifestLinks> {
    if (descriptor.size > MAX_MANIFEST) throw tooLarge(descriptor);
    return manifestLinks(await new Response(await this.blobs.fetch(descriptor)).text(), descriptor.digest);
  }

  get #index(): string {
    return join(this.root, 'index.json');
  }

  get #lock(): string {
    return join(this.root, '.ingot', 'lock');
  }
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
      await blobs.push(descriptor, body);
      // Also when it was there: a process killed after the push had no time to register it.
      await register(descriptor);
    },
    pushFile: (descriptor, path) => blobs.pushFile(descriptor, path),
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

function tooLarge(descriptor: Descriptor): IngotError {
  return new IngotError(
    'store/bad-index',
    `manifest ${descriptor.digest} has ${descriptor.size} bytes; expected ${MAX_MANIFEST} at most`,
  );
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
