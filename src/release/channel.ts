import type { Context } from '../core/context.ts';
import type { Descriptor } from '../core/descriptor.ts';
import { canonicalJson, type Digest, sha256 } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import { INDEX_TYPE, manifestLinks } from '../store/oci-layout-index.ts';
import { pushText, readText } from './manifest.ts';
import { channelTag } from './names.ts';
import { type ReleaseRepository, type ReleaseStore, tagIf } from './release-store.ts';

/** artifactType of a channel's index. */
export const CHANNEL_TYPE = 'application/vnd.ingot.channel.v1+json';
const CHANNEL = 'vnd.ingot.channel.name';
const MOVED = 'vnd.ingot.channel.moved';
/** History shown at most; older moves stay in the store. */
const MAX_HISTORY = 1000;

/** One move of a channel, newest first in a history. */
export interface ChannelMove {
  /** The release's manifest. */
  readonly release: Descriptor;
  /** RFC 3339, UTC. */
  readonly moved: string;
}

/**
 * Points a channel at a release. The channel's tag names an OCI index of the release and of the index before it:
 * the chain is the channel's history, and nothing in it ever changes. A channel that is there already stays.
 */
export async function moveChannel(
  store: ReleaseStore,
  name: string,
  channel: string,
  release: Descriptor,
  ctx: Pick<Context, 'clock'>,
): Promise<void> {
  const repository = store.repository(name);
  const tag = channelTag(channel);
  for (;;) {
    const previous = await repository.resolve(tag);
    if (previous && (await readMove(repository, previous)).move.release.digest === release.digest) return;
    const { descriptor, text } = channelIndex(channel, release, previous, ctx.clock.now());
    await pushText(repository, descriptor, text);
    const tagged = await tagIf(repository, descriptor, tag, previous?.digest);
    // Somebody else moved it meanwhile: their move becomes part of the history.
    if (tagged.digest === descriptor.digest) return;
  }
}

function channelIndex(
  channel: string,
  release: Descriptor,
  previous: Descriptor | undefined,
  moved: Date,
): { descriptor: Descriptor; text: string } {
  const text = canonicalJson({
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    artifactType: CHANNEL_TYPE,
    manifests: [release, ...(previous ? [previous] : [])].map(({ mediaType, digest, size }) => ({
      mediaType,
      digest,
      size,
    })),
    annotations: { [CHANNEL]: channel, [MOVED]: moved.toISOString() },
  });
  return { text, descriptor: { mediaType: INDEX_TYPE, digest: sha256(text), size: Buffer.byteLength(text) } };
}

/** What a channel pointed to, newest first; [] for a channel that is not there. */
export async function channelHistory(
  store: ReleaseStore,
  name: string,
  channel: string,
): Promise<ChannelMove[]> {
  const repository = store.repository(name);
  const moves: ChannelMove[] = [];
  const seen = new Set<Digest>();
  let at = await repository.resolve(channelTag(channel));
  while (at && !seen.has(at.digest) && moves.length < MAX_HISTORY) {
    seen.add(at.digest);
    const { move, previous } = await readMove(repository, at);
    moves.push(move);
    at = previous;
  }
  return moves;
}

async function readMove(
  repository: ReleaseRepository,
  descriptor: Descriptor,
): Promise<{ move: ChannelMove; previous: Descriptor | undefined }> {
  const text = await readText(repository, descriptor);
  const { artifactType, children } = manifestLinks(text, descriptor.digest);
  const [release, previous] = children;
  if (artifactType !== CHANNEL_TYPE || release === undefined) {
    throw new IngotError(
      'release/bad-channel',
      `${descriptor.digest} in ${repository.location} is no channel`,
      {
        hint: `Expected an index of the type ${CHANNEL_TYPE}; another tool may have written this tag.`,
      },
    );
  }
  const { annotations } = JSON.parse(text) as { annotations?: Record<string, unknown> };
  const moved = annotations?.[MOVED];
  return { move: { release, moved: typeof moved === 'string' ? moved : '' }, previous };
}
