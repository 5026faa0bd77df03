import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ByteRange, ContentStore } from '../../core/content-store.ts';
import type { Descriptor } from '../../core/descriptor.ts';
import { type Digest, isDigest, sha256 } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';
import {
  INDEX_TYPE,
  isManifestType,
  MANIFEST_TYPE,
  MAX_MANIFEST,
  readDescriptor,
} from '../oci-layout-index.ts';
import { RegistrySession, type RegistryOptions } from './session.ts';

const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const MANIFESTS = [INDEX_TYPE, MANIFEST_TYPE, DOCKER_LIST, DOCKER_MANIFEST];
/** A download that breaks goes on where it stopped, so often without a byte in between. */
const RESUMES = 4;
const UPLOADS = 3;

/** What is asked of a registry: content by digest, and manifests by tag. */
export type RegistryRepository = Pick<
  ContentStore,
  'location' | 'has' | 'fetch' | 'push' | 'resolve' | 'tag'
>;

/**
 * One repository of an OCI registry (distribution-spec 1.1). What is fetched whole is checked
 * against its digest; where a connection breaks, the rest is fetched by range.
 */
export function openRegistry(options: RegistryOptions): RegistryRepository {
  const session = new RegistrySession(options);
  const root = `/v2/${options.repository}`;
  const pathOf = ({ mediaType, digest }: Descriptor): string =>
    `${root}/${isManifest(mediaType) ? 'manifests' : 'blobs'}/${digest}`;
  const accept = { accept: MANIFESTS.join(', ') };

  return {
    location: session.location,

    async has(descriptor) {
      const headers = isManifest(descriptor.mediaType) ? accept : {};
      const response = await session.request(pathOf(descriptor), { method: 'HEAD', headers, ok: [404] });
      return response.ok;
    },

    async fetch(descriptor, range) {
      const bytes = download(session, pathOf(descriptor), descriptor, range);
      return Readable.toWeb(Readable.from(bytes)) as ReadableStream<Uint8Array>;
    },

    async push(descriptor, body) {
      if (await this.has(descriptor)) return;
      const headers = { 'content-length': String(descriptor.size) };
      if (isManifest(descriptor.mediaType)) {
        const type = { 'content-type': descriptor.mediaType };
        await session.request(pathOf(descriptor), { method: 'PUT', headers: { ...headers, ...type }, body });
        return;
      }
      // A new upload for each attempt: half of one is of no use.
      for (let attempt = 1; ; attempt++) {
        try {
          await upload(session, root, descriptor, body);
          return;
        } catch (error) {
          const again = error instanceof IngotError && error.code === 'store/unreachable';
          if (!again || attempt === UPLOADS) throw error;
        }
      }
    },

    async resolve(tag) {
      const response = await session.request(`${root}/manifests/${tag}`, { headers: accept, ok: [404] });
      if (response.status === 404) return undefined;
      return await describe(response, session.location, tag);
    },

    async tag(descriptor, tag) {
      const text = await new Response(await this.fetch(descriptor)).text();
      const headers = { 'content-type': descriptor.mediaType };
      await session.request(`${root}/manifests/${tag}`, { method: 'PUT', headers, body: () => text });
    },
  };
}

async function upload(
  session: RegistrySession,
  root: string,
  descriptor: Descriptor,
  body: () => ReadableStream<Uint8Array>,
): Promise<void> {
  const begun = await session.request(`${root}/blobs/uploads/`, {
    method: 'POST',
    headers: { 'content-length': '0' },
  });
  const target = session.url(begun.headers.get('location') ?? '');
  target.searchParams.set('digest', descriptor.digest);
  await session.request(target.href, {
    method: 'PUT',
    once: true,
    headers: { 'content-length': String(descriptor.size), 'content-type': 'application/octet-stream' },
    body: () => checked(descriptor, body()),
  });
}

function isManifest(mediaType: string): boolean {
  return isManifestType(mediaType) || mediaType === DOCKER_LIST || mediaType === DOCKER_MANIFEST;
}

/** The descriptor of a manifest from the manifest itself: what a registry says in its headers is not trusted. */
async function describe(response: Response, where: string, tag: string): Promise<Descriptor> {
  const text = Buffer.from(await response.arrayBuffer());
  const mediaType = (response.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
  const digest = sha256(text);
  if (text.length > MAX_MANIFEST || !isManifest(mediaType))
    throw wrong(where, `${tag} is ${text.length} bytes of ${mediaType || 'no type'}, which is no manifest`);
  if (isDigest(tag) && tag !== digest) throw wrong(where, `it gave ${digest} when it was asked for ${tag}`);
  return readDescriptor({ mediaType, digest, size: text.length }, where);
}

async function* download(
  session: RegistrySession,
  path: string,
  descriptor: Descriptor,
  range: ByteRange | undefined,
): AsyncGenerator<Uint8Array> {
  const { start, end } = range ?? { start: 0, end: descriptor.size };
  const hash = range ? undefined : createHash('sha256');
  let at = start;
  let broken = 0;
  while (at < end || (at === 0 && end === 0 && broken === 0)) {
    const partial = at > 0 || end < descriptor.size;
    const headers = {
      ...(isManifest(descriptor.mediaType) && { accept: descriptor.mediaType }),
      ...(partial && { range: `bytes=${at}-${end - 1}` }),
      // Bytes as they are: digests are of the content, not of a transfer coding.
      'accept-encoding': 'identity',
    };
    const response = await session.request(path, { headers });
    // A registry without ranges gives everything from the start.
    let skip = partial && response.status !== 206 ? at : 0;
    try {
      for await (const chunk of response.body ?? []) {
        const fresh = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        const wanted = fresh.subarray(0, end - at);
        if (wanted.length < fresh.length && range === undefined)
          throw wrong(session.location, `${descriptor.digest} has more than ${descriptor.size} bytes`);
        if (wanted.length === 0) continue;
        hash?.update(wanted);
        at += wanted.length;
        broken = 0;
        yield wanted;
        if (at === end && range !== undefined) break;
      }
      if (at < end) throw new Error(`ended after ${at} of ${end} bytes`);
    } catch (error) {
      session.options.signal?.throwIfAborted();
      if (error instanceof IngotError) throw error;
      if (++broken >= RESUMES) {
        const message = `${descriptor.digest} could not be fetched from ${session.location}: ${(error as Error).message}`;
        throw new IngotError('store/unreachable', message, {
          hint: 'Check the network and try again.',
          cause: error,
        });
      }
    }
    if (end === 0) break;
  }
  const digest: Digest | undefined = hash && `sha256:${hash.digest('hex')}`;
  if (digest !== undefined && digest !== descriptor.digest)
    throw wrong(session.location, `it gave ${digest} when it was asked for ${descriptor.digest}`);
}

/** The bytes to send, refused where they are not those of the descriptor: a registry may not look. */
function checked(descriptor: Descriptor, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const hash = createHash('sha256');
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        hash.update(chunk);
        controller.enqueue(chunk);
      },
      flush() {
        const digest = `sha256:${hash.digest('hex')}`;
        if (digest !== descriptor.digest)
          throw new Error(`the content is ${digest}, not ${descriptor.digest}`);
      },
    }),
  );
}

function wrong(where: string, what: string): IngotError {
  return new IngotError('store/digest-mismatch', `${where}: ${what}`, {
    hint: 'The registry, or something on the way to it, gives other content than was asked for: do not use it.',
  });
}
