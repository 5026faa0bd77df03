import { readFileSync } from 'node:fs';
import type { ExecOptions } from '../../core/machine.ts';
import { QUIET_ARGUMENTS } from './quiet-boot.ts';
import type { ContainerUser } from './user.ts';

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

/**
 * Taken from commands: with these, root inside could mount the host's devices (capabilities(7)). systemd needs to
 * mount, so a booted container keeps CAP_SYS_ADMIN.
 */
const DROPPED = 'CAP_SYS_ADMIN,CAP_SYS_BOOT,CAP_MKNOD,CAP_AUDIT_CONTROL';
const DROPPED_BOOTED = 'CAP_MKNOD,CAP_AUDIT_CONTROL';

/** How a command is run, its user looked up. */
export interface CommandOptions extends Pick<ExecOptions, 'cwd'> {
  readonly user?: ContainerUser;
}

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
  options: CommandOptions,
  env: Readonly<Record<string, string>>,
): string[] {
  return [
    ...commonArguments(s),
    `--drop-capability=${DROPPED}`,
    '--as-pid2',
    '--pipe',
    ...(options.user === undefined ? [] : [`--user=${options.user.name}`]),
    ...(options.cwd === undefined ? [] : [`--chdir=${options.cwd}`]),
    ...Object.entries(env).map(([name, value]) => `--setenv=${name}=${value}`),
    '--',
    // A shell in between: a missing command is exit code 127, one ended by a signal 128 and more (XCU 2.8.2).
    '/bin/sh',
    '-c',
    '"$@"; exit $?',
    'sh',
    ...argv,
  ];
}

/** A whole system with systemd as PID 1. */
export function bootArguments(s: NspawnSettings, words: readonly string[] = QUIET_ARGUMENTS): string[] {
  return [
    ...commonArguments(s),
    `--drop-capability=${DROPPED_BOOTED}`,
    '--boot',
    '--console=pipe',
    '--notify-ready=no',
    '--kill-signal=SIGRTMIN+3',
    ...words,
  ];
}

/**
 * A command line that enters a booted container: with a clean environment, and with no more capabilities than its
 * PID 1 may have.
 */
export function enterCommand(
  leader: number,
  argv: readonly string[],
  options: CommandOptions,
  env: Readonly<Record<string, string>>,
): [string, string[]] {
  const { user, cwd = '/' } = options;
  const asUser =
    user === undefined
      ? []
      : ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups', '--'];
  return [
    'setpriv',
    [
      `--bounding-set=${capabilitiesOf(leader)}`,
      '--inh-caps=-all',
      '--',
      'nsenter',
      `--target=${leader}`,
      '--mount',
      '--uts',
      '--ipc',
      '--net',
      '--pid',
      '--cgroup',
      '--root',
      '--wdns=/',
      '--',
      '/usr/bin/env',
      '-i',
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ...asUser,
      '/bin/sh',
      '-c',
      'cd "$1" && shift && "$@"; exit $?',
      'sh',
      cwd,
      ...argv,
    ],
  ];
}

/** A process's bounding set (CapBnd, proc(5)) in the words of setpriv(1). */
function capabilitiesOf(pid: number): string {
  const set = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(statusOf(pid))?.[1] ?? '0'}`);
  const bits = Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => (set >> BigInt(bit)) & 1n);
  return ['-all', ...bits.map((bit) => `+cap_${bit}`)].join(',');
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return ''; // ended: nsenter will say so
  }
}

function escapeColons(path: string): string {
  return path.replace(/[\\:]/g, '\\$&');
}
