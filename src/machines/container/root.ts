import type { LayerKind, StagedLayer } from '../../core/layer.ts';
import type { Rootfs } from '../../core/rootfs.ts';
import type { LentFile } from './lent-file.ts';

/** What must not stay in a layer. */
export interface Leave {
  readonly lent: readonly LentFile[];
  /** Mount points that we made: removed where they are still empty. */
  readonly residue: Iterable<string>;
}

/** The root of a container, whatever its layers are. */
export interface ContainerRoot extends AsyncDisposable {
  readonly kind: LayerKind;
  /** The folder that takes what is written, where there is one. */
  readonly upper: string | undefined;
  mounted(): Promise<Rootfs>;
  /** A folder of it that stays when we end; default: the one that is mounted. */
  leave?(): Promise<string>;
  /** Unmounts it and moves what was written since the last time into the layer; goes on above it. */
  moveInto(layer: StagedLayer, leave: Leave, epoch: number): Promise<void>;
}
