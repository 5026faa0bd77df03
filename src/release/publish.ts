import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import type { Context } from '../core/context.ts';
import type { Descriptor } from '../core/descriptor.ts';
import { type Digest, sha256 } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import { moveChannel } from './channel.ts';
import { CREATED, FACTS, releaseEvidence } from './evidence.ts';
import {
  evidenceManifest,
  pushEmptyConfig,
  pushText,
  type Release,
  readRelease,
  releaseManifest,
} from './manifest.ts';
import { channelTag, versionTag } from './names.ts';
import { type ReleaseRepository, type ReleaseStore, tagIf } from './release-store.ts';

/** A finished file to release. */
export interface OutputFile {
  readonly format: string;
  readonly path: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: string;
}

/** What proves something about a release: a test report, an SBOM, provenance, a signature. */
export interface Evidence {
  readonly artifactType: string;
  readonly mediaType: string;
  /** File name. */
  readonly title: string;
  readonly content: string;
  /**
   * Of a document that differs from run to run (it carries times): digest of what it says besides. A release whose newest
   * document of the type has these facts takes no other.
   */
  readonly facts?: Digest;
}

export interface NewRelease {
  /** Name of the image. */
  readonly name: string;
  readonly version: string;
  readonly outputs: readonly OutputFile[];
  /** Facts about the content (git commit, template digest): part of the release's digest. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Refers to the release and is no part of its digest: tests that run again do not make another release. */
  readonly evidence: readonly Evidence[];
  /** Channels to move to it. */
  readonly channels?: readonly string[];
}

export interface PublishedRelease extends Release {
  /** The very same release was there already. */
  readonly existed: boolean;
}

/**
 * Publishes a release: content first, then its manifest and the evidence, the version's tag last, then channels.
 * The same content again is no error; other content under a version that exists throws `release/exists` and says
 * what differs. Killed at any moment, it leaves no tag or a whole release.
 */
export async function publishRelease(
  store: ReleaseStore,
  release: NewRelease,
  ctx: Pick<Context, 'signal' | 'clock'>,
): Promise<PublishedRelease> {
  const repository = store.repository(release.name);
  const tag = versionTag(release.version);
  const channels = release.channels ?? [];
  for (const channel of channels) channelTag(channel);
  checkOutputs(release);
  const outputs = release.outputs.map((o) => ({ ...o, file: basename(o.path) }));
  const { descriptor, text } = releaseManifest({ ...release, outputs });

  const present = await repository.resolve(tag);
  if (present && present.digest !== descriptor.digest)
    throw await exists(store, repository, release, present);
  for (const output of release.outputs) {
    ctx.signal.throwIfAborted();
    await pushOutput(repository, output);
  }
  await pushEmptyConfig(repository);
  await pushText(repository, descriptor, text);
  for (const evidence of release.evidence) await addEvidence(store, release.name, descriptor, evidence, ctx);
  ctx.signal.throwIfAborted();
  const tagged = await tagIf(repository, descriptor, tag, undefined);
  if (tagged.digest !== descriptor.digest) throw await exists(store, repository, release, tagged);
  for (const channel of channels) await moveChannel(store, release.name, channel, descriptor, ctx);
  return { ...(await readRelease(repository, descriptor)), existed: present !== undefined };
}

function checkOutputs(release: NewRelease): void {
  const formats = release.outputs.map((o) => o.format);
  const twice = formats.find((format, i) => formats.indexOf(format) !== i);
  if (formats.length > 0 && twice === undefined) return;
  const what = twice === undefined ? 'has no output' : `has the output "${twice}" twice`;
  throw new IngotError('release/bad-outputs', `release ${release.name} ${release.version} ${what}`, {
    hint: 'A release needs one output at least, and each format once.',
  });
}

async function pushOutput(repository: ReleaseRepository, output: OutputFile): Promise<void> {
  const descriptor: Descriptor = { mediaType: output.mediaType, digest: output.digest, size: output.size };
  if (repository.pushFile) await repository.pushFile(descriptor, output.path);
  else {
    const body = (): ReadableStream<Uint8Array> =>
      Readable.toWeb(createReadStream(output.path)) as ReadableStream<Uint8Array>;
    await repository.push(descriptor, body);
  }
}

/** Adds a document to a release, which stays what it is. */
export async function addEvidence(
  store: ReleaseStore,
  name: string,
  subject: Descriptor,
  evidence: Evidence,
  ctx: Pick<Context, 'clock'>,
): Promise<void> {
  const repository = store.repository(name);
  const { artifactType, facts } = evidence;
  if (facts !== undefined) {
    const [newest] = await releaseEvidence(store, { name, digest: subject.digest }, artifactType);
    if (newest?.facts === facts) return;
  }
  const layer: Descriptor = {
    mediaType: evidence.mediaType,
    digest: sha256(evidence.content),
    size: Buffer.byteLength(evidence.content),
    annotations: { 'org.opencontainers.image.title': evidence.title },
  };
  await pushText(repository, layer, evidence.content);
  const annotations =
    facts === undefined ? undefined : { [CREATED]: ctx.clock.now().toISOString(), [FACTS]: facts };
  const { descriptor, text } = evidenceManifest(subject, artifactType, layer, annotations);
  await pushText(repository, descriptor, text);
}

async function exists(
  store: ReleaseStore,
  repository: ReleaseRepository,
  release: NewRelease,
  present: Descriptor,
): Promise<IngotError> {
  const old = await readRelease(repository, present);
  const differences = compareReleases(old, release);
  return new IngotError(
    'release/exists',
    `${release.name} ${release.version} is already in ${store.location} with other content: ${differences.join('; ')}`,
    {
      hint: 'A release never changes. Publish under a new version: tag the commit, for example release-1.2.1.',
    },
  );
}

/** What differs between a release and what should be published under its name, one line each. */
export function compareReleases(
  old: Release,
  next: Pick<NewRelease, 'version' | 'outputs' | 'annotations'>,
): string[] {
  const lines: string[] = [];
  if (old.version !== next.version) lines.push(`the tag stands for version ${old.version}`);
  const formats = new Set([...old.outputs, ...next.outputs].map((o) => o.format));
  for (const format of [...formats].sort()) {
    const [a, b] = [old.outputs, next.outputs].map((list) => list.find((o) => o.format === format));
    if (!a) lines.push(`output ${format} is new`);
    else if (!b) lines.push(`output ${format} is missing now`);
    else if (a.digest !== b.digest)
      lines.push(`output ${format} was ${short(a.digest)}, is ${short(b.digest)}`);
  }
  const keys = new Set([...Object.keys(old.annotations), ...Object.keys(next.annotations)]);
  for (const key of [...keys].sort()) {
    const [a, b] = [old.annotations[key], next.annotations[key]];
    if (a !== b) lines.push(`${key} was ${a ?? 'not set'}, is ${b ?? 'not set'}`);
  }
  return lines.length > 0 ? lines : ['file names or media types of outputs'];
}

function short(digest: Digest): string {
  return `${digest.slice(0, 19)}…`;
}
