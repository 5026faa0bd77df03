import type { ContainerSettings } from '../../core/container-settings.ts';
import type { OciOptions } from './oci.ts';

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

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
  /** Settings of the image that the build started from: what the options leave open is as it was there. */
  readonly base: ContainerSettings;
  readonly labels: Readonly<Record<string, string>>;
  readonly diffIds: readonly string[];
  readonly epoch: number;
}

/** The image's configuration (image-spec, config.md). */
export function imageConfig({ options, base, labels, diffIds, epoch }: ConfigInput) {
  const created = timeOf(epoch);
  const user = options.user ?? base.User ?? '';
  const entrypoint = options.entrypoint ?? base.Entrypoint ?? [];
  const cmd = commandOf(options, base);
  return {
    created,
    architecture: options.architecture,
    os: 'linux',
    config: {
      ...(user !== '' && { User: user }),
      ...(base.ExposedPorts && { ExposedPorts: setOf(base.ExposedPorts) }),
      Env: environmentOf(options.env, base.Env ?? []),
      ...(entrypoint.length > 0 && { Entrypoint: entrypoint }),
      ...(cmd.length > 0 && { Cmd: cmd }),
      ...(base.Volumes && { Volumes: setOf(base.Volumes) }),
      WorkingDir: options.working_dir ?? base.WorkingDir ?? '/',
      Labels: { ...inherited(base.Labels ?? {}), ...labels },
      ...(base.StopSignal !== undefined && { StopSignal: base.StopSignal }),
      ...(base.Healthcheck !== undefined && { Healthcheck: base.Healthcheck }),
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map(() => ({ created, created_by: 'ingot' })),
  };
}

/** An entrypoint that is given takes the place of the base's command, too: arguments of another program mean nothing to it. */
function commandOf({ entrypoint, cmd }: OciOptions, base: ContainerSettings): readonly string[] {
  if (cmd) return cmd;
  if (entrypoint && entrypoint.length > 0) return [];
  if (base.Cmd) return base.Cmd;
  return base.Entrypoint && !entrypoint ? [] : ['/bin/sh'];
}

/** The base's variables in their order, with the values given; then those that are new. */
function environmentOf(given: Readonly<Record<string, string>>, base: readonly string[]): string[] {
  const values = new Map<string, string>();
  for (const text of base) {
    const at = text.indexOf('=');
    if (at > 0) values.set(text.slice(0, at), text.slice(at + 1));
  }
  const fresh = Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of fresh) values.set(name, value);
  const path = values.has('PATH') ? [] : [DEFAULT_PATH];
  return [...path, ...[...values].map(([name, value]) => `${name}=${value}`)];
}

/** Labels of the base that hold for what is made from it: what we said of the base does not. */
function inherited(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !key.startsWith('dev.ingot.')));
}

/** Sets are objects without values there. */
function setOf(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function timeOf(epoch: number): string {
  return new Date(epoch * 1000).toISOString().replace('.000Z', 'Z');
}
