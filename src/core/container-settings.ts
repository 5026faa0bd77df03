import type { Json } from './digest.ts';

/**
 * How a container of an image runs, by the names of OCI's image configuration (image-spec, config.md, "config");
 * Healthcheck is Docker's addition. What an image leaves open is absent.
 */
export interface ContainerSettings {
  readonly User?: string;
  /** `80/tcp` */
  readonly ExposedPorts?: readonly string[];
  /** `NAME=value` */
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: readonly string[];
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Healthcheck?: Json;
}
