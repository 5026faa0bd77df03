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
  /** When it was added, RFC 3339; of documents that differ from run to run. */
  readonly created?: string;
  /** Digest of what it says, without what differs from run to run. */
  readonly facts?: string;
}

/** Annotations of a document that differs from run to run. */
export const CREATED = 'org.opencontainers.image.created';
export const FACTS = 'vnd.ingot.evidence.facts';

/** What speaks for a release, by type and title, the newest first. `artifactType` keeps one type only. */
export async function releaseEvidence(
  store: ReleaseStore,
  release: Pick<Release, 'name' | 'digest'>,
  artifactType?: string,
): Promise<ReleaseEvidence[]> {
  const repository = store.repository(release.name);
  const found: ReleaseEvidence[] = [];
  for (const referrer of await repository.referrers(release.digest, artifactType)) {
    const text = await readText(repository, referrer);
    const links = manifestLinks(text, referrer.digest);
    const { annotations = {} } = JSON.parse(text) as { annotations?: Record<string, unknown> };
    const { [CREATED]: created, [FACTS]: facts } = annotations;
    // The first child of a manifest is its config.
    for (const content of links.children.slice(1)) {
      const title = content.annotations?.['org.opencontainers.image.title'] ?? content.digest;
      found.push({
        artifactType: links.artifactType ?? content.mediaType,
        title,
        content,
        ...(typeof created === 'string' && { created }),
        ...(typeof facts === 'string' && { facts }),
      });
    }
  }
  return found.sort(
    (a, b) =>
      order(a.artifactType, b.artifactType) ||
      order(a.title, b.title) ||
      order(b.created ?? '', a.created ?? '') ||
      order(a.content.digest, b.content.digest),
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
