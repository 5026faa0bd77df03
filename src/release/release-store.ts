import { resolve } from 'node:path';
import type { ContentStore } from '../core/content-store.ts';
import type { Descriptor } from '../core/descriptor.ts';
import type { Digest } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import { openOciLayout } from '../store/oci-layout.ts';

/** What a repository of releases can do beyond a content store, where its kind allows it. */
export interface ReleaseRepository extends ContentStore {
  /** Stores a file without reading it through a stream. */
  pushFile?(descriptor: Descriptor, path: string): Promise<void>;
  /**
   * Tags when the tag points to `expected` (undefined: when it is not there) and answers what it points to now.
   * A registry cannot do this in one step; there it is resolve, then tag.
   */
  tagIf?(descriptor: Descriptor, tag: string, expected: Digest | undefined): Promise<Descriptor>;
  /** Path of the content on this machine. */
  blobPath?(descriptor: Descriptor): string;
}

/** As `ReleaseRepository.tagIf`, for every kind of repository. */
export async function tagIf(
  repository: ReleaseRepository,
  descriptor: Descriptor,
  tag: string,
  expected: Digest | undefined,
): Promise<Descriptor> {
  if (repository.tagIf) return await repository.tagIf(descriptor, tag, expected);
  const present = await repository.resolve(tag);
  if (present && present.digest !== expected) return present;
  await repository.tag(descriptor, tag);
  return descriptor;
}

/** A place of releases: a repository an image name. */
export interface ReleaseStore {
  /** As written in an image file: `oci-layout:/srv/releases`. */
  readonly location: string;
  repository(name: string): ReleaseRepository;
  /** Image names that have releases, sorted. */
  repositories(): Promise<string[]>;
}

/**
 * Opens the store that `location` names; a relative folder starts at `baseDir`, in an image file the template's folder.
 * Throws `release/bad-store`, `store/not-a-layout`, `store/bad-index`.
 */
export async function openStore(location: string, baseDir: string): Promise<ReleaseStore> {
  const match = /^oci-layout:(.+)$/s.exec(location);
  if (!match?.[1]) {
    throw new IngotError('release/bad-store', `the release store "${location}" is of no known kind`, {
      hint: 'Write oci-layout:<folder>, for example oci-layout:./releases.',
    });
  }
  const layout = await openOciLayout(resolve(baseDir, match[1]));
  return {
    location: `oci-layout:${layout.dir}`,
    repository: (name) => layout.repository(name),
    repositories: () => layout.repositories(),
  };
}
