import type { ContainerSettings } from '../../core/container-settings.ts';
import type { Json } from '../../core/digest.ts';

type Found = { readonly [K in keyof ContainerSettings]: ContainerSettings[K] | undefined };

/** What `config` of an image's configuration says (image-spec, config.md). Values of other types are passed over. */
export function readSettings(config: unknown): ContainerSettings {
  const c = record(config) ?? {};
  const found: Found = {
    User: text(c.User),
    ExposedPorts: names(c.ExposedPorts),
    Env: list(c.Env),
    Entrypoint: list(c.Entrypoint),
    Cmd: list(c.Cmd),
    Volumes: names(c.Volumes),
    WorkingDir: text(c.WorkingDir),
    Labels: labels(c.Labels),
    StopSignal: text(c.StopSignal),
    Healthcheck: record(c.Healthcheck) as Json | undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A list that is empty says as much as none. */
function list(value: unknown): readonly string[] | undefined {
  const strings = Array.isArray(value) ? value.filter((v) => typeof v === 'string') : [];
  return strings.length > 0 ? strings : undefined;
}

/** A set is an object without values there. */
function names(value: unknown): readonly string[] | undefined {
  return list(Object.keys(record(value) ?? {}).sort());
}

function labels(value: unknown): Readonly<Record<string, string>> | undefined {
  const entries = Object.entries(record(value) ?? {}).filter((e): e is [string, string] => {
    return typeof e[1] === 'string';
  });
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
