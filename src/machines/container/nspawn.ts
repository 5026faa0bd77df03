import type { ExecOptions } from '../../core/machine.ts';

/** A host file or folder that is seen inside the container. */
export interface Bind {
  readonly source: string;
  readonly target: string;
  readonly readOnly?: boolean;
}

/** What every command in one container has in common. */
export interface NspawnSettings {
  /** Root of the container. */
  readonly dir: string;
  /** Name for nspawn's own files; unique on this machine. */
  readonly name: string;
  readonly hostname: string;
  readonly network: 'host' | 'none';
  readonly binds: readonly Bind[];
}

/** Variables of every command; the builder's own never enter. */
export function containerEnvironment(
  epoch: number,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    USER: 'root',
    LOGNAME: 'root',
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    TZ: 'UTC',
    DEBIAN_FRONTEND: 'noninteractive',
    SOURCE_DATE_EPOCH: String(epoch),
    ...extra,
  };
}

/** nspawn's own environment: /tmp stays the image's, so that one command finds there what another has put (as in a VM). */
export const NSPAWN_ENVIRONMENT = { SYSTEMD_NSPAWN_TMPFS_TMP: '0' };

/** Arguments of systemd-nspawn(1) that both kinds of container share. */
function commonArguments(s: NspawnSettings): string[] {
  return [
    '--quiet',
    '--register=no',
    '--keep-unit',
    '--settings=no',
    `--directory=${s.dir}`,
    `--machine=${s.name}`,
    `--hostname=${s.hostname}`,
    // Nothing of the host is written into the image: no zone, no resolver's file, no link to a journal.
    '--timezone=off',
    '--resolv-conf=off',
    '--link-journal=no',
    ...(s.network === 'none' ? ['--private-network'] : []),
    ...s.binds.map(
      (b) => `--bind${b.readOnly === false ? '' : '-ro'}=${escapeColons(b.source)}:${escapeColons(b.target)}`,
    ),
  ];
}

/** One command as the only thing that runs (with a stub init that reaps). */
export function commandArguments(
  s: NspawnSettings,
  argv: readonly string[],
  options: Pick<ExecOptions, 'cwd' | 'user'>,
  env: Readonly<Record<string, string>>,
): string[] {
  return [
    ...commonArguments(s),
    '--as-pid2',
    '--pipe',
    ...(options.user === undefined ? [] : [`--user=${options.user}`]),
    ...(options.cwd === undefined ? [] : [`--chdir=${options.cwd}`]),
    ...Object.entries(env).map(([name, value]) => `--setenv=${name}=${value}`),
    '--',
    // A shell in between, so that a missing command is exit code 127 and not an error of nspawn's.
    '/bin/sh',
    '-c',
    'exec "$@"',
    'sh',
    ...argv,
  ];
}

/** A whole system with systemd as PID 1. */
export function bootArguments(s: NspawnSettings): string[] {
  return [...commonArguments(s), '--boot', '--console=pipe', '--notify-ready=no', '--kill-signal=SIGRTMIN+3'];
}

/** nsenter(1) into a booted container, with a clean environment. */
export function enterArguments(
  leader: number,
  argv: readonly string[],
  options: Pick<ExecOptions, 'cwd' | 'user'>,
  env: Readonly<Record<string, string>>,
): string[] {
  const asUser =
    options.user === undefined
      ? []
      : ['setpriv', `--reuid=${options.user}`, `--regid=${options.user}`, '--init-groups', '--'];
  return [
    `--target=${leader}`,
    '--mount',
    '--uts',
    '--ipc',
    '--net',
    '--pid',
    '--root',
    '--wdns=/',
    '--',
    '/usr/bin/env',
    '-i',
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...asUser,
    '/bin/sh',
    '-c',
    'cd "$1" && shift && exec "$@"',
    'sh',
    options.cwd ?? '/',
    ...argv,
  ];
}

function escapeColons(path: string): string {
  return path.replace(/[\\:]/g, '\\$&');
}
