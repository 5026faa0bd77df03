import { readFileSync } from 'node:fs';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { HostProcess } from '../../core/host.ts';
import {
  bootArguments,
  containerEnvironment,
  enterArguments,
  NSPAWN_ENVIRONMENT,
  type NspawnSettings,
} from './nspawn.ts';

const BOOT_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;

/** A container in which systemd runs. */
export interface BootedContainer extends AsyncDisposable {
  /** Pid of its PID 1 on the host. */
  readonly leader: number;
}

/** Boots systemd in the container and waits until it has settled. Dispose powers it off. */
export async function bootContainer(settings: NspawnSettings, ctx: Context): Promise<BootedContainer> {
  const console: string[] = [];
  const nspawn = await ctx.host.start('systemd-nspawn', bootArguments(settings), {
    env: NSPAWN_ENVIRONMENT,
    onLine: (_stream, line) => {
      console.push(line);
      if (console.length > 40) console.shift();
    },
  });
  try {
    const leader = await findLeader(nspawn, ctx.signal);
    await waitUntilSettled(leader, ctx, console);
    return { leader, [Symbol.asyncDispose]: () => powerOff(nspawn, leader, ctx) };
  } catch (error) {
    await nspawn[Symbol.asyncDispose]();
    if (ctx.signal.aborted || error instanceof IngotError) throw error;
    throw new IngotError('machine/boot-failed', 'systemd did not come up in the container', {
      hint: 'The console is shown below. Does the image have systemd (package systemd-sysv)?',
      output: console,
      cause: error,
    });
  }
}

async function findLeader(nspawn: HostProcess, signal: AbortSignal): Promise<number> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    for (const pid of childrenOf(nspawn.pid)) if (commandOf(pid) === 'systemd') return pid;
    await new Promise((done) => setTimeout(done, 20));
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
  const args = enterArguments(
    leader,
    ['systemctl', 'is-system-running', '--wait'],
    {},
    containerEnvironment(ctx.epoch),
  );
  let state = '';
  while (Date.now() < deadline) {
    const result = await ctx.host.run('nsenter', args, {
      okCodes: 'any',
      signal: ctx.signal,
      timeoutMs: BOOT_TIMEOUT_MS,
    });
    state = result.stdout.trim();
    if (state === 'running' || state === 'degraded') return;
    // Not answering yet: PID 1 has not made its socket.
    await new Promise((done) => setTimeout(done, 50));
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

async function powerOff(nspawn: HostProcess, leader: number, ctx: Context): Promise<void> {
  const args = enterArguments(leader, ['systemctl', 'poweroff'], {}, containerEnvironment(ctx.epoch));
  await ctx.host.run('nsenter', args, { okCodes: 'any', timeoutMs: STOP_TIMEOUT_MS });
  const timeout = new Promise((done) => setTimeout(done, STOP_TIMEOUT_MS).unref());
  await Promise.race([nspawn.ended.catch(() => {}), timeout]);
  await nspawn[Symbol.asyncDispose]();
}
