import type { OciOptions } from './oci.ts';

/** Keys of the stamp that OCI has names for (image-spec, annotations.md). */
const NAMES: Readonly<Record<string, string>> = {
  name: 'org.opencontainers.image.title',
  version: 'org.opencontainers.image.version',
  commit: 'org.opencontainers.image.revision',
};

/** The stamp as labels and annotations; keys that OCI has no name for go under `dev.ingot.`. */
export function imageLabels(stamp: Readonly<Record<string, string>>, epoch: number): Record<string, string> {
  const labels: Record<string, string> = { 'org.opencontainers.image.created': timeOf(epoch) };
  for (const [key, value] of Object.entries(stamp)) {
    labels[
      Object.hasOwn(NAMES, key) ? (NAMES[key] as string) : key.includes('.') ? key : `dev.ingot.${key}`
    ] = value;
  }
  return labels;
}

interface ConfigInput {
  readonly options: OciOptions;
  readonly labels: Readonly<Record<string, string>>;
  readonly diffIds: readonly string[];
  readonly epoch: number;
}

/** The image's configuration (image-spec, config.md). */
export function imageConfig({ options, labels, diffIds, epoch }: ConfigInput) {
  const created = timeOf(epoch);
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const env = Object.entries(options.env).map(([key, value]) => `${key}=${value}`);
  return {
    created,
    architecture: options.architecture,
    os: 'linux',
    config: {
      ...(options.user !== '' && { User: options.user }),
      Env: [...('PATH' in options.env ? [] : [path]), ...env.sort()],
      ...(options.entrypoint.length > 0 && { Entrypoint: options.entrypoint }),
      ...(options.cmd.length > 0 && { Cmd: options.cmd }),
      WorkingDir: options.working_dir,
      Labels: labels,
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map(() => ({ created, created_by: 'ingot' })),
  };
}

function timeOf(epoch: number): string {
  return new Date(epoch * 1000).toISOString().replace('.000Z', 'Z');
}
