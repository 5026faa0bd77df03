import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';

/** One apt suite as it was when locked: `<suite>/InRelease` by digest. */
export interface LockedSuite {
  /** Public name of the archive, never a mirror's URL: `debian`, `debian-security`, or the user's label. */
  readonly archive: string;
  readonly suite: string;
  readonly components: readonly string[];
  readonly inRelease: Digest;
  /** `Date` of the InRelease file, seconds since 1970. */
  readonly date: number;
}

export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly sha256: string;
  readonly size: number;
  /** Pool path below the archive's root. */
  readonly filename: string;
  readonly archive: string;
}

/** The state of the apt archives that a source is built from. */
export interface LockedApt {
  readonly kind: 'apt';
  /** Digest of the request (suites, packages, variant, …): another request needs another resolution. */
  readonly request: Digest;
  readonly suites: readonly LockedSuite[];
  readonly packages: readonly LockedPackage[];
  /** Packages unpacked beside the image, never into it: boot loaders for the disk. */
  readonly tools: readonly LockedPackage[];
}

/** A file from a URL, by checksum. */
export interface LockedFile {
  readonly kind: 'file';
  readonly sha256: string;
  readonly size: number;
}

/** A container image, by the digest of its manifest. */
export interface LockedImage {
  readonly kind: 'image';
  /** Digest of the request: another one needs another resolution. */
  readonly request: Digest;
  /** As written in the template. */
  readonly image: string;
  /** Of the platform that was asked for. */
  readonly manifest: Descriptor;
  /** When the image says that it was made, seconds since 1970. */
  readonly date?: number;
  /** Releases that it stands on, the nearest first. */
  readonly ancestry?: readonly Ancestor[];
}

/** A release that an image was built from. */
export interface Ancestor {
  readonly name: string;
  readonly version: string;
  /** Of the release's manifest. */
  readonly digest: Digest;
}

export type LockEntry = LockedApt | LockedFile | LockedImage;

/** `ingot.lock.json`. Keys of `entries`: `<type>.<name>` of the source. Mutable while pinning. */
export interface Lock {
  readonly version: 1;
  readonly entries: Record<string, LockEntry>;
}

/** SOURCE_DATE_EPOCH of a lock entry: its newest date; undefined where nothing in it carries one. */
export function epochOf(entry: LockEntry | undefined): number | undefined {
  if (entry?.kind === 'image') return entry.date;
  if (entry?.kind !== 'apt') return undefined;
  return Math.max(...entry.suites.map((s) => s.date));
}
