import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { HostProcess } from '../../core/host.ts';
import { openRootfs } from '../../host/index.ts';
import {
  bootArguments,
  containerEnvironment,
  enterCommand,
  NSPAWN_ENVIRONMENT,
  type NspawnSettings,
} from './nspawn.ts';

const BOOT_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;
/** Asks logind, where there is one, whether a restart has been asked for. */
const PREPARING = [
  '--auto-start=no',
  'get-property',
  'org.freedesktop.login1',
  '/org/freedesktop/login1',
  'org.freedesktop.login1.Manager',
  'PreparingForShutdown',
];
/** How often a booted system is looked after. */
const LOOK_MS = 100;

/** A container in which systemd runs. */
export interface BootedContainer extends AsyncDisposable {
  /** Pid of its PID 1 on the host. */
  readonly leader: number;
  /** Aborts with `machine/disconnected` when PID 1 is no longer the one that was booted. */
  readonly down: AbortSignal;
  /** Whether commands can be run: false once it shuts down or restarts, when that is over. */
  isUp(): Promise<boolean>;
}

/** Boots systemd in the container and waits until it has settled. Dispose powers it off. */
export async function bootContainer(
  settings: NspawnSettings,
  ctx: Context,
  words?: readonly string[],
): Promise<BootedContainer> {
  if (!openRootfs(settings.dir).exists('/usr/lib/systemd/systemd')) {
    throw new IngotError('machine/boot-failed', 'the container was to be booted, and it has no systemd', {
      hint: 'Add the package systemd-sysv to the source, or leave out boot = true.',
    });
  }
  const console: string[] = [];
  const nspawn = await ctx.host.start('systemd-nspawn', bootArguments(settings, words), {
    env: NSPAWN_ENVIRONMENT,
    onLine: (_stream, line) => {
      console.push(line);
      if (console.length > 40) console.shift();
    },
  });
  try {
    const leader = await findLeader(nspawn, ctx.signal);
    await waitUntilSettled(leader, ctx, console);
    const { signal: down, watch } = watchLeader(leader);
    return {
      leader,
      down,
      isUp: () => isUp(leader, down, ctx),
      async [Symbol.asyncDispose]() {
        clearInterval(watch);
        await powerOff(nspawn, leader, ctx);
      },
    };
  } catch (error) {
    await nspawn[Symbol.asyncDispose]();
    if (ctx.signal.aborted || error instanceof IngotError) throw error;
    throw new IngotError('machine/boot-failed', 'systemd did not come up in the container', {
      hint: 'The last lines of its console are below.',
      output: console,
      cause: error,
    });
  }
}

async function findLeader(nspawn: HostProcess, signal: AbortSignal): Promise<number> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    for (const pid of childrenOf(nspawn.pid)) if (commandOf(pid) === 'systemd') return pid;
    await delay(20);
  }
  throw new Error('no systemd among the children of systemd-nspawn');
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

async function waitUntilSettled(leader: number, ctx: Context, console: readonly string[]): Promise<void> {
  const deadline = Date.now() + BOOT_TIMEOUT_MS;
  const [command, args] = systemctl(leader, ctx, 'is-system-running', '--wait');
  let state = '';
  while (Date.now() < deadline) {
    const result = await ctx.host.run(command, args, {
      okCodes: 'any',
      signal: ctx.signal,
      timeoutMs: BOOT_TIMEOUT_MS,
    });
    state = result.stdout.trim();
    if (state === 'running' || state === 'degraded') return;
    if (commandOf(leader) !== 'systemd') throw new Error('PID 1 of the container has ended');
    // Not answering yet: PID 1 has not made its socket.
    await delay(50);
  }
  throw new IngotError(
    'machine/boot-timeout',
    `systemd in the container is "${state}" after ${BOOT_TIMEOUT_MS / 1000} s, expected "running"`,
    {
      hint: 'A unit that never ends keeps it waiting; `systemctl list-jobs` in a provisioner shows which.',
      output: [...console],
    },
  );
}

/** What a command hears whose machine goes down. */
export function wentDown(): IngotError {
  return new IngotError('machine/disconnected', 'the machine went down while a command ran', {
    hint: 'Set expect_disconnect = true on a shell provisioner that restarts the machine.',
  });
}

/**
 * Looks after PID 1: while it shuts down, nsenter(1) stops with the processes that are stopped inside, and would
 * never report their end.
 */
function watchLeader(leader: number): { signal: AbortSignal; watch: NodeJS.Timeout } {
  const down = new AbortController();
  const watch = setInterval(() => {
    if (commandOf(leader) === 'systemd') return;
    clearInterval(watch);
    down.abort(wentDown());
  }, LOOK_MS);
  return { signal: down.signal, watch };
}

/** What `systemctl is-system-running` says of a system that runs commands; "offline" and none at all are of its end. */
const UP = new Set(['initializing', 'starting', 'running', 'degraded', 'maintenance']);

/**
 * False once the system is about to go down, when it has. PID 1 closes its socket before it becomes systemd-shutdown,
 * and logind keeps a restart back while a process delays it (Debian's unattended-upgrades does): neither is "stopping".
 */
async function isUp(leader: number, down: AbortSignal, ctx: Context): Promise<boolean> {
  const ask = async ([command, args]: [string, string[]]): Promise<string> => {
    const how = { okCodes: 'any', timeoutMs: STOP_TIMEOUT_MS, signal: down } as const;
    return (await ctx.host.run(command, args, how)).stdout.trim();
  };
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (commandOf(leader) === 'systemd' && Date.now() < deadline) {
    try {
      const [state, prepares] = await Promise.all([
        ask(systemctl(leader, ctx, 'is-system-running')),
        ask(enterCommand(leader, ['busctl', ...PREPARING], {}, containerEnvironment(ctx.epoch))),
      ]);
      if (UP.has(state) && prepares !== 'b true') return true;
    } catch (error) {
      // It ended while it was asked.
      if (commandOf(leader) === 'systemd') throw error;
    }
    await delay(20);
  }
  return false;
}

async function powerOff(nspawn: HostProcess, leader: number, ctx: Context): Promise<void> {
  if (commandOf(leader) === 'systemd') {
    const [command, args] = systemctl(leader, ctx, 'poweroff');
    await ctx.host.run(command, args, { okCodes: 'any', timeoutMs: STOP_TIMEOUT_MS });
    const timeout = delay(STOP_TIMEOUT_MS, undefined, { ref: false });
    await Promise.race([nspawn.ended.catch(() => {}), timeout]);
  }
  await nspawn[Symbol.asyncDispose]();
}

function systemctl(leader: number, ctx: Context, ...args: string[]): [string, string[]] {
  return enterCommand(leader, ['systemctl', ...args], {}, containerEnvironment(ctx.epoch));
}
