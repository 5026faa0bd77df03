import { access, copyFile, type FileHandle, open } from 'node:fs/promises';
import { cpus as hostCpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import type { HostProcess, RunResult } from '../core/host.ts';
import { type Acceleration, type AccelerationChoice, chooseAcceleration } from './acceleration.ts';
import { type DiskBus, type Firmware, type Forward, qemuArguments } from './qemu-command.ts';
import type { QemuCommand, QemuDisk, SerialPort } from './qemu-command.ts';
import { Qmp } from './qemu-qmp.ts';
import { loadState, stateKey } from './qemu-state.ts';

const DEFAULT_MEMORY = 1024 * 1024 * 1024;
const MONITOR = 'monitor.sock';
/** Behind standard input, output and error. */
const FIRST_INHERITED = 3;
/** QEMU opens its monitor within milliseconds; under a loaded host within seconds. */
const MONITOR_TIMEOUT_MS = 30_000;
/** Code and variables, best first: the 4 MB build is the one that Debian keeps current. */
const UEFI_BUILDS = [
  ['/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd'],
  ['/usr/share/OVMF/OVMF_CODE.fd', '/usr/share/OVMF/OVMF_VARS.fd'],
] as const;

export interface QemuOptions {
  readonly disk: QemuDisk;
  /** Existing folder for sockets, UEFI variables and relative serial files; one machine a folder. */
  readonly stateDir: string;
  readonly firmware?: Firmware;
  readonly bus?: DiskBus;
  /** Default: the host's, at most 2. */
  readonly cpus?: number;
  /** Bytes; default 1 GiB. */
  readonly memory?: number;
  readonly accel?: AccelerationChoice;
  /** Processor where it is emulated, as QEMU names it; default: all that QEMU has. `more.cpu` is for both. */
  readonly emulatedCpu?: string;
  /** COM1, COM2, …; a guest's ttyS0, ttyS1. */
  readonly serial: readonly SerialPort[];
  /** Default `none`. */
  readonly network?: QemuCommand['network'];
  readonly forwards?: readonly Forward[];
  /** Attached as virtio disks behind the boot disk (a NoCloud seed). */
  readonly extraDisks?: readonly QemuDisk[];
  /** Starts a kernel directly, without the disk's boot loader. */
  readonly kernel?: QemuCommand['kernel'];
  /** Folder that relative names in `overrides` start from; default: the state folder. */
  readonly cwd?: string;
  /** Paths of UEFI's code and of its empty variables; default: Debian's. */
  readonly uefi?: { readonly code: string; readonly vars?: string };
  /** A state saved by {@link saveState}, taken where it was saved by a machine of this very kind: `key`. */
  readonly resume?: { readonly file: string; readonly key: string };
  readonly more?: Pick<
    QemuCommand,
    'mayRestart' | 'machine' | 'cpu' | 'nic' | 'mac' | 'discs' | 'floppy' | 'vnc' | 'overrides'
  >;
}

/** A running x86-64 machine. Dispose ends it at once and waits for the process. */
export interface Qemu extends AsyncDisposable {
  readonly pid: number;
  /** When it was switched on, as `performance.now()` counts. */
  readonly startedAt: number;
  readonly ended: Promise<RunResult>;
  readonly acceleration: Acceleration;
  /** What it was started as. */
  readonly command: QemuCommand;
  /** As asked for, with the host ports that were given. */
  readonly forwards: readonly Forward[];
  /** Says what machine this is: a state goes from one to another with the same key. */
  readonly key: string;
  /** Whether it goes on from a state, instead of booting. */
  readonly resumed: boolean;
  readonly stateDir: string;
  /** The state folder by a name that is short enough for sockets. */
  readonly socketDir: string;
  /** Aborted when the host's disk is full: the guest would stand still for ever, so it is ended. */
  readonly diskFull: AbortSignal;
  /** One command of QEMU's monitor (qemu-qmp-ref(7)). */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/**
 * Starts qemu-system-x86_64 under a lease. Unless `more.mayRestart` is set, a guest's restart ends the process.
 * Throws `qemu/start-failed` with QEMU's own words, `qemu/no-firmware`, `qemu/no-kvm`, `host/missing-tool`.
 */
export async function startQemu(o: QemuOptions, ctx: Pick<Context, 'host' | 'signal'>): Promise<Qemu> {
  const acceleration = await chooseAcceleration(o.accel ?? 'auto');
  const forwards = o.forwards ?? [];
  // QEMU may work in another folder, and a socket's name has 107 bytes at most (unix(7)).
  const folder = await open(o.stateDir, 'r');
  const socketDir = `/proc/${process.pid}/fd/${folder.fd}`;
  const inState = (name: string): string => (o.cwd === undefined ? name : `${socketDir}/${name}`);
  let child: HostProcess | undefined;
  try {
    const command: QemuCommand = {
      accel: acceleration.accel,
      cpus: o.cpus ?? Math.min(2, hostCpus().length),
      memory: o.memory ?? DEFAULT_MEMORY,
      firmware: o.firmware === 'uefi' ? await uefiFirmware(o.stateDir, o.uefi) : 'bios',
      disk: o.disk,
      bus: o.bus ?? 'virtio',
      extraDisks: o.extraDisks ?? [],
      serial: o.serial,
      network: o.network ?? 'none',
      forwards,
      ...(o.kernel && { kernel: o.kernel }),
      monitor: inState(MONITOR),
      ...(acceleration.accel === 'tcg' && o.emulatedCpu !== undefined && { cpu: o.emulatedCpu }),
      ...o.more,
      ...(o.more?.vnc !== undefined && { vnc: inState(o.more.vnc) }),
    };
    const key = await stateKey(ctx.host, command, acceleration);
    const resume = o.resume?.key === key ? o.resume : undefined;
    const args = [...qemuArguments(command), ...(resume ? ['-incoming', 'defer'] : [])];
    await using state = resume && (await open(resume.file, 'r'));
    const startedAt = performance.now();
    child = await ctx.host.start('qemu-system-x86_64', args, {
      cwd: o.cwd ?? o.stateDir,
      signal: ctx.signal,
      ...(state && { inherit: [state.fd] }),
    });
    const qmp = await connectMonitor(join(o.stateDir, MONITOR), child);
    const resolved = forwards.length === 0 ? [] : await resolveForwards(qmp, forwards);
    const { stateDir } = o;
    const facts = {
      startedAt,
      acceleration,
      command,
      forwards: resolved,
      key,
      resumed: resume !== undefined,
      stateDir,
      socketDir,
    };
    const qemu = machine(child, qmp, folder, facts);
    if (resume) await loadState(qemu, FIRST_INHERITED, ctx.signal);
    return qemu;
  } catch (error) {
    await child?.[Symbol.asyncDispose]();
    await folder.close();
    throw error;
  }
}

function machine(
  child: HostProcess,
  qmp: Qmp,
  folder: FileHandle,
  facts: Omit<Qemu, 'pid' | 'ended' | 'diskFull' | 'execute' | keyof AsyncDisposable>,
): Qemu {
  const dispose = async (): Promise<void> => {
    await qmp[Symbol.asyncDispose]();
    await child[Symbol.asyncDispose]();
    await folder.close();
  };
  const full = new AbortController();
  qmp.onDiskFull = () => {
    full.abort();
    void child[Symbol.asyncDispose]();
  };
  return {
    pid: child.pid,
    ended: child.ended,
    diskFull: full.signal,
    ...facts,
    execute: (command, args) => qmp.execute(command, args),
    [Symbol.asyncDispose]: dispose,
  };
}

/** The firmware's code as installed, and a copy of its empty variable store for this machine alone. */
async function uefiFirmware(
  stateDir: string,
  given?: QemuOptions['uefi'],
): Promise<{ code: string; vars: string }> {
  const variables = join(stateDir, 'uefi-vars.fd');
  if (given?.vars !== undefined) {
    await copyFile(given.vars, variables);
    return { code: given.code, vars: variables };
  }
  for (const [code, vars] of UEFI_BUILDS) {
    if (!(await exists(code)) || !(await exists(vars))) continue;
    await copyFile(vars, variables);
    return { code: given?.code ?? code, vars: variables };
  }
  throw new IngotError('qemu/no-firmware', `UEFI was asked for, but there is no ${UEFI_BUILDS[0][0]}`, {
    hint: 'Install it: apt install ovmf.',
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function connectMonitor(path: string, child: HostProcess): Promise<Qmp> {
  let ended: RunResult | undefined;
  // Rejected only when the run is cancelled, which the caller sees by the signal.
  child.ended.then(
    (result) => {
      ended = result;
    },
    () => {
      ended = { exitCode: 128, stdout: '', stderr: 'cancelled' };
    },
  );
  const deadline = performance.now() + MONITOR_TIMEOUT_MS;
  for (;;) {
    try {
      return await Qmp.connect(path);
    } catch (cause) {
      if (ended !== undefined)
        throw startFailed(`it ended with exit code ${ended.exitCode}`, ended.stderr, cause);
      if (performance.now() > deadline) throw startFailed('it did not open its monitor', '', cause);
    }
    await delay(20);
  }
}

function startFailed(what: string, stderr: string, cause: unknown): IngotError {
  const lines = stderr.trim().split('\n').slice(-10);
  return new IngotError('qemu/start-failed', `QEMU did not start: ${what}: ${lines.at(-1) || 'no output'}`, {
    hint: 'Run `ingot doctor`; is another QEMU writing to the same image, or is memory short?',
    output: lines,
    cause,
  });
}

/** Asks QEMU which host ports it got: it binds port 0 itself, so no other process can take the port in between. */
async function resolveForwards(qmp: Qmp, forwards: readonly Forward[]): Promise<Forward[]> {
  const text = await qmp.execute('human-monitor-command', { 'command-line': 'info usernet' });
  const bound = new Map<number, number>();
  // "  TCP[HOST_FORWARD]  14       127.0.0.1 43627       10.0.2.15    22     0     0"
  for (const match of String(text).matchAll(/TCP\[HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)/g)) {
    bound.set(Number(match[2]), Number(match[1]));
  }
  return forwards.map(({ guest }) => {
    const host = bound.get(guest);
    if (host === undefined) {
      throw new IngotError(
        'qemu/no-forward',
        `QEMU did not forward a loopback port to the guest's port ${guest}`,
      );
    }
    return { guest, host };
  });
}
