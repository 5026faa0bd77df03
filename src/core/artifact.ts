import type { Json } from './digest.ts';
import type { LayerChain } from './layer.ts';

/** What a build or post-processor hands on. */
export interface Artifact {
  /** Packer's builder id, `packer.file`, `ingot.mmdebstrap`. */
  readonly builderId: string;
  /** Packer's artifact id; for files often the file's name. */
  readonly id: string;
  /** Host paths. */
  readonly files: readonly string[];
  /** One line for people. */
  readonly description: string;
  /** Where the artifact is a filesystem in layers. */
  readonly rootfs?: LayerChain;
  readonly metadata?: Readonly<Record<string, Json>>;
  /** Takes away what it is besides files, where nobody keeps it (`keep_input_artifact = false`). */
  readonly discard?: () => Promise<void>;
}
