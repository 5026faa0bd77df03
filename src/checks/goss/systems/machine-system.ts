import { posix } from 'node:path';
import type { Communicator, ExecResult } from '../../../core/machine.ts';
import { timerMs } from '../../../core/timer-ms.ts';
import { type GossResource, optionText, optionTimeout, subjectOf } from '../resource.ts';
import { FactError, type System } from '../system.ts';
import type { BootedAs } from '../targets.ts';
import { type GoValue, Reader, Strings } from '../values.ts';
import { absolutePath } from './file-place.ts';
import { isLocalAddress } from './local-address.ts';
import { httpOf } from './machine-http.ts';
import { mountFact } from './mounts.ts';
import { listeningPorts, type ListeningPorts } from './ports.ts';
import { whole } from './whole.ts';

const NAMES: ReadonlySet<string> = new Set(['command', 'process', 'port']);
/** Runs commands in a booted copy of an image. */
export type Commands = Pick<Communicator, 'exec'>;

/**
 * A running machine, asked by commands that every image has: `sh`, `cat`, `stat`, `systemctl`. Nothing is installed in it.
 * It is cut off from every network, so it says nothing about other machines or interfaces; a container says nothing of
 * the kernel and the mounts either, which are its host's.
 */
export class MachineSystem implements System {
  readonly bootedAs: BootedAs;
  readonly #communicator: Commands;
  readonly #answers = new Map<string, Promise<ExecResult>>();
  #ports: Promise<ListeningPorts> | undefined;
  #processes: Promise<ReadonlySet<string>> | undefined;
  #mounts: Promise<string> | undefined;

  constructor(communicator: Commands, bootedAs: BootedAs = 'container') {
    this.#communicator = communicator;
    this.bootedAs = bootedAs;
  }

  /** Whether a booted image that reaches nothing outside tells the fact. */
  static decides(resource: GossResource, attribute: string, bootedAs: BootedAs): boolean {
    const subject = subjectOf(resource);
    if (NAMES.has(resource.type)) return true;
    switch (resource.type) {
      case 'service':
        return attribute !== 'runlevels';
      case 'package':
      case 'user':
      case 'group':
        return true;
      case 'http':
      case 'addr':
        return isLocalAddress(subject);
      case 'dns':
        return subject === 'localhost' && optionText(resource, 'server') === undefined;
      case 'kernel-param':
        return bootedAs === 'vm';
      case 'mount':
        return bootedAs === 'vm' && attribute !== 'usage';
      default:
        return false;
    }
  }

  async fact(resource: GossResource, attribute: string): Promise<GoValue> {
    const subject = subjectOf(resource);
    switch (resource.type) {
      case 'command':
        return await this.#command(resource, subject, attribute);
      case 'process':
        this.#processes ??= this.#processNames();
        return (await this.#processes).has(subject);
      case 'port': {
        this.#ports ??= this.#allPorts();
        const addresses = (await this.#ports).get(subject.includes(':') ? subject : `tcp:${subject}`);
        return attribute === 'listening' ? addresses !== undefined : new Strings(addresses ?? []);
      }
      case 'service':
        return await this.#service(subject, attribute);
      case 'package':
        return await this.#package(subject, attribute);
      case 'user':
        return await this.#user(subject, attribute);
      case 'group':
        return await this.#group(subject, attribute);
      case 'file':
        return await this.#file(subject, attribute);
      case 'addr':
        return await this.#isReachable(subject, optionTimeout(resource, 500));
      case 'http':
        return await httpOf(resource, subject, attribute, (argv, timeoutMs) => this.#run(argv, timeoutMs));
      case 'dns':
        return await this.#dns(subject, attribute);
      case 'kernel-param':
        return await this.#parameter(subject);
      case 'mount':
        this.#mounts ??= this.#run(['cat', '/proc/self/mountinfo']).then(({ stdout }) => whole(stdout));
        return mountFact(await this.#mounts, subject, attribute);
      default:
        throw new FactError(`a ${resource.type} can't be seen in a machine without a network`);
    }
  }

  /** Runs a command once, however many attributes look at it. */
  #run(argv: readonly string[], timeoutMs = 20_000): Promise<ExecResult> {
    const key = JSON.stringify([argv, timeoutMs]);
    let answer = this.#answers.get(key);
    if (!answer) {
      answer = this.#execute(argv, timeoutMs);
      this.#answers.set(key, answer);
    }
    return answer;
  }

  async #execute(argv: readonly string[], timeoutMs: number): Promise<ExecResult> {
    const timeout = AbortSignal.timeout(timerMs(timeoutMs));
    try {
      return await this.#communicator.exec(argv, { signal: timeout });
    } catch (error) {
      if (timeout.aborted) throw new FactError(`Command execution timed out (${duration(timeoutMs)})`);
      throw error;
    }
  }

  /** Runs a tool of the image whose exit code is an answer. Without the tool there is none: nothing counts as absent by it. */
  async #ask(argv: readonly string[]): Promise<ExecResult> {
    const result = await this.#run(argv);
    if (result.exitCode === 126 || result.exitCode === 127)
      throw new FactError(
        `the image cannot run ${argv[0]}, by which goss checks are answered in a booted copy`,
      );
    return result;
  }

  async #command(resource: GossResource, command: string, attribute: string): Promise<GoValue> {
    const result = await this.#run(['sh', '-c', command], optionTimeout(resource, 10_000));
    if (attribute === 'exit-status') return BigInt(result.exitCode);
    return Reader.of(whole(attribute === 'stdout' ? result.stdout : result.stderr), '*bytes.Reader');
  }

  /** Names of the programs that run, as the kernel cuts them (15 bytes). */
  async #processNames(): Promise<ReadonlySet<string>> {
    const { stdout } = await this.#run(['sh', '-c', 'cat /proc/[0-9]*/comm 2>/dev/null; :']);
    const names = new Set(
      whole(stdout)
        .split('\n')
        .filter((name) => name !== ''),
    );
    if (names.size === 0) throw new FactError('the processes of the booted copy cannot be listed');
    return names;
  }

  async #allPorts(sockets?: ReadonlySet<string>): Promise<ListeningPorts> {
    const tables = await Promise.all(
      (['tcp', 'tcp6', 'udp', 'udp6'] as const).map(async (protocol) => {
        const { stdout } = await this.#run(['sh', '-c', `cat /proc/net/${protocol} 2>/dev/null; :`]);
        if (protocol === 'tcp' && !stdout.includes('local_address'))
          throw new FactError('the ports of the booted copy cannot be listed');
        return [protocol, whole(stdout)] as const;
      }),
    );
    return listeningPorts(tables, sockets);
  }

  /** Ports that processes of a name listen on: by the sockets among their open files (proc_pid_fd(5)). */
  async portsOf(process: string): Promise<readonly string[]> {
    const { stdout } = await this.#run(['sh', '-c', LIST_FILES, 'sh', process]);
    const sockets = [...whole(stdout).matchAll(/socket:\[([0-9]+)\]/g)].map(([, inode = '']) => inode);
    return [...(await this.#allPorts(new Set(sockets))).keys()];
  }

  async #service(name: string, attribute: string): Promise<GoValue> {
    // goss: a name with a slash or so is no service.
    if (!/^[A-Za-z0-9:_.@\\-]+$/.test(name)) return false;
    const verb = attribute === 'enabled' ? 'is-enabled' : 'is-active';
    return (await this.#ask(['systemctl', '-q', verb, '--', name])).exitCode === 0;
  }

  async #package(name: string, attribute: string): Promise<GoValue> {
    const format = '%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\\n';
    const { exitCode, stdout } = await this.#run([
      'rpm',
      '-q',
      '--nosignature',
      '--nodigest',
      '--qf',
      format,
      name,
    ]);
    if (exitCode === 127) throw new FactError('the image has neither dpkg, apk nor rpm');
    if (attribute === 'installed') return exitCode === 0;
    if (exitCode !== 0) throw new FactError('Package version not found');
    return new Strings(stdout.trim().split('\n'));
  }

  async #user(name: string, attribute: string): Promise<GoValue> {
    const { exitCode, stdout } = await this.#ask(['getent', 'passwd', '--', name]);
    if (attribute === 'exists') return exitCode === 0;
    if (exitCode !== 0) throw new FactError(`user: unknown user ${name}`);
    const [, , uid = '0', gid = '0', , home = '', shell = ''] = stdout.trimEnd().split(':');
    if (attribute === 'uid') return BigInt(uid);
    if (attribute === 'gid') return BigInt(gid);
    if (attribute === 'home') return home;
    if (attribute === 'shell') return shell;
    const groups = await this.#ask(['id', '-nG', '--', name]);
    return new Strings(groups.stdout.trim().split(' '));
  }

  async #group(name: string, attribute: string): Promise<GoValue> {
    const { exitCode, stdout } = await this.#ask(['getent', 'group', '--', name]);
    if (attribute === 'exists') return exitCode === 0;
    if (exitCode !== 0) throw new FactError(`group: unknown group ${name}`);
    return BigInt(stdout.split(':')[2] ?? '0');
  }

  async #file(path: string, attribute: string): Promise<GoValue> {
    const home = await this.#homeNamedIn(path);
    const place = absolutePath(path, () => home);
    const stat = await this.#ask(['stat', '-c', '%f %s %u %U %g %G', '--', place]);
    if (attribute === 'exists') return stat.exitCode === 0;
    if (stat.exitCode !== 0) throw new FactError(`lstat ${place}: no such file or directory`);
    const [raw = '0', size = '0', uid = '0', owner = '', gid = '0', group = ''] = stat.stdout
      .trim()
      .split(' ');
    const mode = Number.parseInt(raw, 16);
    switch (attribute) {
      case 'mode':
        return (mode & 0o7777).toString(8).padStart(4, '0');
      case 'size':
        return BigInt(size);
      case 'uid':
        return BigInt(uid);
      case 'gid':
        return BigInt(gid);
      case 'owner':
        return owner;
      case 'group':
        return group;
      case 'filetype':
        return FILE_TYPES.get(mode & 0o170000) ?? 'file';
      case 'linked-to':
        return (await this.#checked(['readlink', '--', place], `readlink ${place}`)).replace(/\n$/, '');
      case 'contents':
      case 'contains':
        return Reader.of(whole(await this.#checked(['cat', '--', place], `read ${place}`)), '*os.File');
      default:
        return (await this.#checked([`${attribute}sum`, '--', place], `read ${place}`)).split(' ')[0] ?? '';
    }
  }

  /** The home of the user whom a path begins with: `~` is root's. */
  async #homeNamedIn(path: string): Promise<string | undefined> {
    const [, user] = /^~([^/]*)/.exec(path) ?? [];
    if (user === undefined) return undefined;
    const { exitCode, stdout } = await this.#ask(['getent', 'passwd', '--', user || 'root']);
    return exitCode === 0 ? stdout.trimEnd().split(':')[5] : undefined;
  }

  async #checked(argv: readonly string[], what: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#run(argv);
    if (exitCode !== 0) throw new FactError(`${what}: ${stderr.trim() || `exit code ${exitCode}`}`);
    return stdout;
  }

  /** goss reads below /proc/sys, and says which file is missing. */
  async #parameter(key: string): Promise<GoValue> {
    const path = posix.join('/proc/sys', key.replaceAll('.', '/'));
    if (!path.startsWith('/proc/sys/')) throw new FactError(`open ${path}: no such file or directory`);
    return (await this.#checked(['cat', '--', path], `open ${path}`)).trim();
  }

  async #isReachable(address: string, timeoutMs: number): Promise<boolean> {
    const [protocol = 'tcp', place = address] = address.includes('://')
      ? address.split('://')
      : ['tcp', address];
    const match = /^\[?([^\]]*?)\]?:([0-9]+)$/.exec(place);
    if (!match) return false;
    const [, host = '', port = ''] = match;
    const script = 'exec 3<>"/dev/$1/$2/$3"';
    const { exitCode } = await this.#run(
      ['bash', '-c', script, 'bash', protocol.replace(/6$/, ''), host, port],
      Math.max(timeoutMs, 2000),
    );
    if (exitCode === 127) throw new FactError('the image has no bash, with which an address is tried');
    return exitCode === 0;
  }

  async #dns(name: string, attribute: string): Promise<GoValue> {
    const { exitCode, stdout } = await this.#ask(['getent', 'ahosts', '--', name]);
    if (attribute === 'resolvable') return exitCode === 0;
    return new Strings(
      [...new Set(stdout.split('\n').map((line) => line.split(/\s+/)[0] ?? ''))]
        .filter((a) => a !== '')
        .sort(),
    );
  }
}

const LIST_FILES =
  'for p in /proc/[0-9]*; do if [ "$(cat "$p/comm" 2>/dev/null)" = "$1" ]; then ls -l "$p/fd" 2>/dev/null; fi; done; :';

const FILE_TYPES: ReadonlyMap<number, string> = new Map([
  [0o120000, 'symlink'],
  [0o020000, 'character-device'],
  [0o060000, 'block-device'],
  [0o010000, 'pipe'],
  [0o140000, 'socket'],
  [0o040000, 'directory'],
  [0o100000, 'file'],
]);

/** Milliseconds as Go prints a time.Duration. */
function duration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const minutes = Math.floor(ms / 60_000);
  return minutes > 0 ? `${minutes}m${(ms % 60_000) / 1000}s` : `${ms / 1000}s`;
}
