import type { Digest } from './digest.ts';

/** A pointer to content, in the shape of the OCI image spec's descriptor (descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Length in bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A file that a step reads: where it is, and what enters the step's digest. */
export interface FileDescriptor {
  /** As written in the template (relative to it); enters the digest so that a rename is seen. */
  readonly path: string;
  readonly digest: Digest;
  /** Permission bits, as in stat(2). */
  readonly mode: number;
  readonly size: number;
}
