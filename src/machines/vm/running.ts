import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Context, note } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { Scope } from '../../core/scope.ts';
import type { QemuDisk } from '../../host/qemu-command.ts';
import { writeSeed } from '../../host/qemu-seed.ts';
import { LiveDisk } from '../../host/qemu-snapshot.ts';
import { type Qemu, startQemu } from '../../host/qemu.ts';
import { SshSession } from '../ssh/session.ts';
import { buildKey } from './build-key.ts';
import { consoleTail, deathOf } from './console-log.ts';
import type { VmOptions } from './options.ts';
import { wayIn } from './way-in.ts';

/** How long a machine that heard its power button may take before it is ended. */
const ACPI_MS = 60_000;
/** How often a machine that goes down is looked at. */
const LOOK_MS = 50;
const CONSOLE = 'console.log';

/** A machine between its start and its end. */
export interface RunningVm {
  readonly qemu: Qemu;
  readonly live: LiveDisk;
  /** Absent where nothing is run in it. */
  readonly session: SshSession | undefined;
  /** Loopback port that leads to its SSH server. */
  readonly port: number;
  /** Whether QEMU still runs. */
  isUp(): boolean;
  /** Waits until it has shut itself down. Throws `machine/not-shut-down` when its shutdown_timeout is over. */
  untilOff(): Promise<void>;
  /**
   * Ends it in order: by the template's command, then the power button, then by force. Its QEMU ends when `memory` has
   * settled, which may still be written.
   */
  shutDown(memory: Promise<unknown>): Promise<void>;
}

/** Starts QEMU on `disk`, from `resume` where it fits. Everything taken is released with `scope`. */
export async function startVm(
  o: VmOptions,
  disk: QemuDisk,
  dir: string,
  scope: Scope,
  ctx: Context,
  resume?: { readonly file: string; readonly key: string },
): Promise<RunningVm> {
  const { hardware } = o;
  const key = o.seedUser === undefined ? undefined : buildKey(ctx.cacheDir);
  const seed =
    key &&
    (await writeSeed(ctx.host, dir, {
      instanceId: `ingot-${key.fingerprint.slice(7, 23)}`,
      hostname: 'localhost',
      authorizedKeys: [key.publicKey],
      user: o.seedUser as string,
      // Sealing takes them away again, and an RSA key takes an emulated processor up to half a minute.
      hostKeys: ['ed25519'],
    }));
  const qemu = scope.use(
    await startQemu(
      {
        disk: { ...disk, volatile: true },
        stateDir: dir,
        serial: [{ file: join(dir, CONSOLE) }],
        network: 'user',
        forwards: o.ssh === 'none' ? [] : [{ guest: o.guestPort, host: 0 }],
        extraDisks: [...(seed ? [seed] : []), ...(hardware.extraDisks ?? [])],
        ...(hardware.cpus !== undefined && { cpus: hardware.cpus }),
        ...(hardware.memory !== undefined && { memory: hardware.memory }),
        ...(hardware.firmware && { firmware: hardware.firmware }),
        ...(hardware.uefi && { uefi: hardware.uefi }),
        ...(hardware.bus && { bus: hardware.bus }),
        ...(hardware.accel && { accel: hardware.accel }),
        ...(hardware.emulatedCpu !== undefined && { emulatedCpu: hardware.emulatedCpu }),
        ...(hardware.cwd !== undefined && { cwd: hardware.cwd }),
        ...(resume && { resume }),
        more: { mayRestart: true, ...hardware.more },
      },
      ctx,
    ),
    'QEMU',
  );
  note(
    ctx,
    qemu.resumed
      ? 'the machine goes on from its kept memory: no boot'
      : `the machine boots: ${qemu.acceleration.reason}`,
  );
  const port = qemu.forwards[0]?.host ?? 0;
  const gone = new AbortController();
  let stopping = false;
  /** Nobody has spoken to it since it went on from its memory: it was up then. */
  let wakes = qemu.resumed;
  const ended = qemu.ended.then(
    () => true,
    () => true,
  );
  qemu.diskFull.addEventListener('abort', () => gone.abort(noSpace(dir)));
  void ended.then(async () => {
    gone.abort(stopping ? new Error('the machine was shut down') : await poweredOff(dir));
  });
  const session =
    o.ssh === 'none'
      ? undefined
      : scope.use(
          new SshSession({
            settings: {
              ...o.ssh,
              host: '127.0.0.1',
              port,
              ...(key && { privateKeys: [key.privateKey, ...(o.ssh.privateKeys ?? [])] }),
            },
            signal: ctx.signal,
            gone: gone.signal,
            verdict: () => verdictOf(dir),
            explain: async (error) => withConsole(error, dir),
            onConnect: async (run) => {
              if (!wakes) return await refuseWhileStopping(run);
              wakes = false;
              await run(setClock(ctx.clock.now()));
            },
          }),
          'SSH',
        );
  const login = ctx.debug ? await wayIn(o, port, dir, ctx) : undefined;
  if (login !== undefined) note(ctx, `log in by ${login}`);
  return {
    qemu,
    live: new LiveDisk(qemu),
    session,
    port,
    isUp: () => !gone.signal.aborted,
    async untilOff() {
      stopping = true;
      if (await within(ended, o.shutdownTimeoutMs, ctx.signal)) return;
      ctx.signal.throwIfAborted();
      throw await withConsole(stillRuns(o.shutdownTimeoutMs), dir);
    },
    async shutDown(memory) {
      stopping = true;
      // QEMU stays when the machine is off: its memory as it was before may still be on its way. One that is gone is off.
      await qemu.execute('set-action', { shutdown: 'pause' }).catch(() => undefined);
      const off = Promise.race([ended, isOff(qemu)]);
      const endQemu = async (): Promise<void> => {
        await memory;
        // It closes the disk first, however long that takes, and may be gone before it answers.
        await qemu.execute('quit').catch(() => undefined);
        await ended;
      };
      if (o.shutdownCommand !== undefined && session) {
        const told = session.run(o.shutdownCommand, { signal: ctx.signal }).then(
          () => undefined,
          (error: unknown) => {
            // The command takes the connection with it.
            if (
              !gone.signal.aborted &&
              !(error instanceof IngotError && error.code === 'machine/disconnected')
            )
              throw error;
          },
        );
        await Promise.race([told, off]);
        if (await within(off, o.shutdownTimeoutMs)) return await endQemu();
        note(ctx, `the machine runs ${o.shutdownTimeoutMs / 1000} s after its shutdown_command`);
      }
      await session?.disconnect();
      note(ctx, 'pressing the power button');
      await qemu.execute('system_powerdown');
      const wentOff = await within(off, Math.min(ACPI_MS, o.shutdownTimeoutMs));
      await endQemu();
      if (!wentOff) {
        ctx.emit({
          type: 'diagnostic',
          diagnostic: {
            code: 'machine/not-shut-down',
            severity: 'warning',
            message: 'the machine did not shut down when asked to, and its power was cut',
            hint: 'Set shutdown_command, such as "sudo shutdown -P now"; what was not written to its disk is lost.',
          },
        });
      }
    },
  };
}

/** Waits until a machine is off whose QEMU stays, or that has none any more. */
async function isOff(qemu: Qemu): Promise<boolean> {
  for (;;) {
    const state = (await qemu.execute('query-status').catch(() => undefined)) as
      | { status: string }
      | undefined;
    if (state === undefined || state.status === 'shutdown') return true;
    await delay(LOOK_MS);
  }
}

/** To a machine that goes on, no time has passed: certificates and archives would not be valid yet. */
function setClock(now: Date): string {
  const seconds = Math.round(now.getTime() / 1000);
  return `if [ "$(id -u)" = 0 ]; then date -u -s @${seconds}; else sudo -n date -u -s @${seconds}; fi >/dev/null 2>&1 || :`;
}

async function within(ended: Promise<boolean>, ms: number, signal?: AbortSignal): Promise<boolean> {
  const timer = new AbortController();
  const stop = signal ? AbortSignal.any([timer.signal, signal]) : timer.signal;
  const late = delay(ms, false, { signal: stop }).catch(() => false);
  const answer = await Promise.race([ended, late]);
  timer.abort();
  return answer;
}

/** A machine that goes down still lets in for a while; what begins there never ends. */
async function refuseWhileStopping(
  run: (command: string) => Promise<{ readonly stdout: string }>,
): Promise<void> {
  const { stdout } = await run('systemctl is-system-running 2>/dev/null || :');
  if (stdout.trim() === 'stopping') throw new Error('the machine is going down');
}

function noSpace(dir: string): IngotError {
  return new IngotError(
    'host/no-space',
    `no space is left on the disk of ${dir}, which takes what the machine writes`,
    {
      hint: 'Free some there (`ingot clean`, `ingot cache prune`), or put the caches on a larger disk: INGOT_CACHE_DIR=/folder.',
    },
  );
}

function stillRuns(ms: number): IngotError {
  return new IngotError(
    'machine/not-shut-down',
    `the machine did not shut itself down within ${ms / 1000} s`,
    {
      hint: 'With communicator = "none" the machine says by its end that it is done: let the installer power it off, or raise shutdown_timeout.',
    },
  );
}

async function verdictOf(dir: string): Promise<IngotError | undefined> {
  const lines = await consoleTail(join(dir, CONSOLE), 60);
  const death = deathOf(lines);
  if (death === undefined) return undefined;
  return new IngotError('machine/boot-failed', `the machine does not come up: ${death}`, {
    hint: 'The last lines of its console are below.',
    output: lines.slice(-20),
  });
}

async function withConsole(error: IngotError, dir: string): Promise<IngotError> {
  const output = await consoleTail(join(dir, CONSOLE));
  return new IngotError(error.code, error.message, {
    ...(error.hint !== undefined && { hint: error.hint }),
    cause: error.cause,
    output: output.length > 0 ? output : ['(nothing came from the serial console)'],
  });
}

async function poweredOff(dir: string): Promise<IngotError> {
  return await withConsole(
    new IngotError('machine/powered-off', 'the machine powered itself off in the middle of the build', {
      hint: 'Leave shutting down to shutdown_command; the last lines of its console are below.',
    }),
    dir,
  );
}
