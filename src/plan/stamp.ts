import type { Digest } from '../core/digest.ts';
import type { Ancestor } from '../core/lock.ts';

/** What is known of the template's git checkout. */
export interface GitFacts {
  /** Version from the newest `release-*` tag; says so where there is none or the tree is dirty. */
  readonly version: string;
  /** Full commit id; absent outside of a checkout. */
  readonly commit?: string;
  readonly dirty: boolean;
}

/** What the image says about itself: options of the stamp step. */
export interface StampOptions {
  readonly name: string;
  readonly version: string;
  readonly gitCommit?: string;
  readonly dirty: boolean;
  readonly templateDigest: Digest;
  readonly lockDigest: Digest;
  readonly epoch: number;
  /** The image that it was built from. */
  readonly base?: { readonly name: string; readonly digest: Digest };
  /** Releases that it stands on, the nearest first. */
  readonly ancestry?: readonly Ancestor[];
}
