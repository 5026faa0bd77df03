import type { Descriptor } from './descriptor.ts';
import type { Digest, Json } from './digest.ts';

export type LayerKind = 'overlay' | 'files' | 'qcow2' | 'docker' | 'vm-state';

/**
 * What a step made, kept under the step's digest. On disk: `<cache>/layers/<hex>/` with `layer.json` and
 * `fs/` (overlay: an overlayfs upper directory, whiteouts and opaque marks included) or `files/`.
 */
export interface Layer {
  readonly id: Digest;
  readonly kind: LayerKind;
  /** Layers below, lowest first. */
  readonly parents: readonly Digest[];
  /** Files in `files/`, by name in `annotations['org.opencontainers.image.title']`. */
  readonly blobs: readonly Descriptor[];
  /** vm-state: keyed by QEMU version and CPU too, and of no use elsewhere. */
  readonly localOnly: boolean;
  /** What the step reported (StepResult); replayed on a hit. */
  readonly result: Json;
  /** The layer's folder on this machine. */
  readonly dir: string;
}

/** Layers of one filesystem, lowest first. */
export type LayerChain = readonly Layer[];

/** Path of the overlay content of a layer. */
export function layerFs(layer: { readonly dir: string }): string {
  return `${layer.dir}/fs`;
}

/** Path of a file of a `files` layer. */
export function layerFile(layer: { readonly dir: string }, name: string): string {
  return `${layer.dir}/files/${name}`;
}

export interface LayerContent {
  readonly kind: LayerKind;
  readonly parents: readonly Digest[];
  readonly blobs?: readonly Descriptor[];
  readonly localOnly?: boolean;
  readonly result: Json;
}

/** A layer in the making, beside the cache. Dispose without commit discards it. */
export interface StagedLayer extends AsyncDisposable {
  readonly id: Digest;
  /** Staging folder: fill `dir/fs` or `dir/files` (both exist, empty). Same filesystem as the cache. */
  readonly dir: string;
  /** Where the folder will be after commit. */
  readonly committedDir: string;
  /** Renames it in. The first commit wins: a later one of the same id is discarded and answers the first. */
  commit(content: LayerContent): Promise<Layer>;
  /** After commit: another was first, and what it made was answered. Whoever goes on must stand on that. */
  readonly isSecond?: boolean;
}

export interface LayerCache {
  /** A committed, whole layer. Marks it as used now (garbage collection goes by last use). */
  lookup(id: Digest): Promise<Layer | undefined>;
  stage(id: Digest): Promise<StagedLayer>;
  /** Removes the longest unused layers of a kind, until those that are left have no more than `maxBytes`. */
  bound?(kind: LayerKind, maxBytes: number): Promise<void>;
  /** Removes layers, so that those made next are kept; none that a build uses. */
  remove?(ids: readonly Digest[]): Promise<unknown>;
  /** Keeps these layers from garbage collection while held. */
  lease(ids: readonly Digest[]): Promise<AsyncDisposable>;
}
