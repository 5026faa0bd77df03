import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import { type FirstBootConfig, NO_FIRST_BOOT } from '../../src/firstboot/config.ts';
import { PATHS } from '../../src/firstboot/paths.ts';
import { root as checkout } from '../project/source-files.ts';

/** A folder with Debian, its own Node 18 and the agent as images have it, for chroot(1). */
export class AgentRoot {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes it of Debian's packages. */
  static build(path: string, packages: readonly string[]): AgentRoot {
    const include = `--include=${['nodejs', 'ca-certificates', ...packages].join(',')}`;
    execFileSync('mmdebstrap', ['--quiet', '--variant=essential', include, 'bookworm', path], {
      stdio: 'pipe',
    });
    const root = new AgentRoot(path);
    root.put(PATHS.agent, '');
    execFileSync(process.execPath, [join(checkout, 'scripts/build-agent.mjs'), root.at(PATHS.agent)]);
    return root;
  }

  /** Another one beside it, before this one is used: files that are there are shared. */
  copy(name: string): AgentRoot {
    const path = join(dirname(this.path), name);
    execFileSync('cp', ['--archive', '--link', this.path, path]);
    return new AgentRoot(path);
  }

  at(path: string): string {
    return join(this.path, path);
  }

  put(path: string, text: string, mode = 0o600): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    // Copies share the file that was there.
    rmSync(this.at(path), { force: true });
    writeFileSync(this.at(path), text, { mode });
  }

  read(path: string): string | undefined {
    return existsSync(this.at(path)) ? readFileSync(this.at(path), 'utf8') : undefined;
  }

  /** What the image says, and what this instance was launched with. */
  configure(config: Partial<FirstBootConfig>, environment: Readonly<Record<string, string>> = {}): void {
    this.put(PATHS.config, JSON.stringify({ ...NO_FIRST_BOOT, ...config }));
    this.setEnvironment(environment);
  }

  setEnvironment(environment: Readonly<Record<string, string>>): void {
    const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
    this.put(PATHS.environment, lines.join(''));
  }

  /** Runs the agent to its end. */
  run(...args: string[]) {
    const [command = '', ...rest] = this.#within(['node', PATHS.agent, ...args]);
    return spawnSync(command, rest, { encoding: 'utf8', timeout: 60_000 });
  }

  /** Starts the agent; `by` is put in front of it. */
  start(
    args: readonly string[],
    { by = [], mounts }: { by?: readonly string[]; mounts?: string } = {},
  ): RunningAgent {
    return this.#start(this.#within([...by, 'node', PATHS.agent, ...args], mounts));
  }

  /** Starts what images have in place of the agent. */
  startScript(...args: readonly string[]): RunningAgent {
    return this.#start(this.#within(['sh', ...args]));
  }

  #within(command: readonly string[], mounts = ''): string[] {
    return ['unshare', '--mount', 'sh', '-ec', mounts + ENTER, 'sh', this.path, ...command];
  }

  #start([command = '', ...args]: readonly string[]): RunningAgent {
    // Several run at once, across tests: who starts them ends them.
    const { INGOT_TEST_OWNER: _, ...env } = process.env;
    return new RunningAgent(spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  }
}

/** For `start`: the folder takes writing in its /run alone. */
export const READ_ONLY = `
mount --bind "$1" "$1"
mount -o remount,ro,bind "$1"
mount -t tmpfs ingot-run "$1/run"
`;
/**
 * For `start`: /etc/app and /var/lib are on a disk of their own, which has what was synced, and nothing else: nothing is
 * written to it by time.
 */
export const onDisk = (path: string): string => `
mkdir -p "$1/mnt" "$1/etc/app" "$1/var/lib"
mount -t ext4 -o loop,commit=3600 ${path} "$1/mnt"
mkdir -p "$1/mnt/app" "$1/mnt/lib"
sync -f "$1/mnt"
mount --bind "$1/mnt/app" "$1/etc/app"
mount --bind "$1/mnt/lib" "$1/var/lib"
`;
const ENTER = `
mount -t proc ingot-proc "$1/proc"
exec chroot "$@"
`;

/** An agent at work. */
export class RunningAgent implements AsyncDisposable {
  readonly pid: number;
  /** Exit code. */
  readonly ended: Promise<number>;
  /** All that it has said. */
  output = '';
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data: Buffer) => void (this.output += data.toString()));
    this.ended = new Promise((resolve) => child.once('close', (code) => resolve(code ?? 128)));
  }

  /** Waits until it has said something. */
  async heard(what: RegExp): Promise<void> {
    const isThere = (): boolean => what.test(this.output) || this.#child.exitCode !== null;
    await vi.waitUntil(isThere, { timeout: 90_000 }).catch(() => {});
    if (!what.test(this.output)) throw new Error(`no ${what} in:\n${this.output}`);
  }

  /** Stops it where it is. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}
