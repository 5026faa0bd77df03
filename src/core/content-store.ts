import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';

export interface ByteRange {
  /** First byte, from 0. */
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

/**
 * Content by digest, names that point to it, and who refers to whom: an OCI image layout on disk, or an OCI
 * registry over HTTP (distribution-spec). Nothing is visible by name before all that it refers to is there.
 */
export interface ContentStore {
  /** For messages: `oci-layout:/path` or `registry/repository`. */
  readonly location: string;
  has(descriptor: Descriptor): Promise<boolean>;
  /** The bytes, verified against the digest when read whole; throws `store/not-found`, `store/corrupt`. */
  fetch(descriptor: Descriptor, range?: ByteRange): Promise<ReadableStream<Uint8Array>>;
  /** Stores and verifies; `body` may be asked again on a retry. Present content is not sent again. */
  push(descriptor: Descriptor, body: () => ReadableStream<Uint8Array>): Promise<void>;
  resolve(tag: string): Promise<Descriptor | undefined>;
  tag(descriptor: Descriptor, tag: string): Promise<void>;
  untag(tag: string): Promise<void>;
  tags(): Promise<string[]>;
  /** Manifests whose `subject` is `digest`, optionally of one artifact type. */
  referrers(digest: Digest, artifactType?: string): Promise<Descriptor[]>;
  delete(descriptor: Descriptor): Promise<void>;
}
