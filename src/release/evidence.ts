import type { Descriptor } from '../core/descriptor.ts';
import { manifestLinks } from '../store/oci-layout-index.ts';
import { type Release, readText } from './manifest.ts';
import type { ReleaseStore } from './release-store.ts';

/** A document that refers to a release. */
export interface ReleaseEvidence {
  readonly artifactType: string;
  /** File name. */
  readonly title: string;
  /** The document; `ReleaseRepository.fetch` gives its bytes. */
  readonly content: Descriptor;
}

/** What speaks for a release, by type and title. `artifactType` keeps one type only. */
export async function releaseEvidence(
  store: ReleaseStore,
  release: Pick<Release, 'name' | 'digest'>,
  artifactType?: string,
): Promise<ReleaseEvidence[]> {
  const repository = store.repository(release.name);
  const found: ReleaseEvidence[] = [];
  for (const referrer of await repository.referrers(release.digest, artifactType)) {
    const links = manifestLinks(await readText(repository, referrer), referrer.digest);
    // The first child of a manifest is its config.
    for (const content of links.children.slice(1)) {
      const title = content.annotations?.['org.opencontainers.image.title'] ?? content.digest;
      found.push({ artifactType: links.artifactType ?? content.mediaType, title, content });
    }
  }
  const key = (e: ReleaseEvidence): string => `${e.artifactType}\n${e.title}\n${e.content.digest}`;
  return found.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
