import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../../core/context.ts';
import type { AccelerationChoice } from '../../host/acceleration.ts';
import { type Qemu, startQemu } from '../../host/qemu.ts';
import type { DiskBus, QemuDisk } from '../../host/qemu-command.ts';
import { createOverlay } from '../../host/qemu-image.ts';
import { writeSeed } from '../../host/qemu-seed.ts';
import { type BootFailure, describeProgress, explainConsole } from './reason.ts';
import { type GuestReport, MAX_REPORT, parseReport, type ReportProgress } from './report.ts';
import { type BootCase, SEED_HOSTNAME } from './result.ts';

/** Consoles of broken guests can loop; what matters is at both ends. */
const MAX_CONSOLE = 512 * 1024;
const POLL_MS = 100;

export interface BootMachine {
  readonly memory: number;
  readonly cpus: number | undefined;
  readonly bus: DiskBus;
  readonly accel: AccelerationChoice;
  readonly timeoutMs: number;
}

/** How one boot went: a report, or a failure. */
export type BootOutcome =
  | {
      readonly seconds: number;
      readonly report: GuestReport;
      /** From QEMU's start to the kernel's. */
      readonly firmwareSeconds: number;
      readonly console: string;
    }
  | { readonly seconds: number; readonly failure: Omit<BootFailure, 'final'>; readonly console: string };

/**
 * Boots a fresh overlay of `base`, `size` bytes large, in the empty folder `dir`, and waits for the report.
 * The guest reaches nothing outside. The machine is gone when this returns.
 */
export async function bootOnce(
  boot: BootCase,
  machine: BootMachine,
  base: QemuDisk,
  size: number,
  dir: string,
  ctx: Context,
): Promise<BootOutcome> {
  const overlay = await createOverlay(ctx.host, join(dir, 'overlay.qcow2'), base, size);
  const seed = boot.seed
    ? [await writeSeed(ctx.host, dir, { instanceId: instanceOf(boot), hostname: SEED_HOSTNAME })]
    : [];
  const start = performance.now();
  await using qemu = await startQemu(
    {
      disk: { ...overlay, volatile: true },
      stateDir: dir,
      firmware: boot.firmware,
      bus: machine.bus,
      memory: machine.memory,
      ...(machine.cpus !== undefined && { cpus: machine.cpus }),
      accel: machine.accel,
      serial: [{ file: 'console.log' }, { file: 'report.log' }],
      network: 'isolated',
      more: { mac: macOf(boot) },
      extraDisks: seed,
    },
    ctx,
  );
  return await watch(qemu, dir, start, machine.timeoutMs, ctx.signal);
}

/** An address of its own in QEMU's range: a DUID is made from it and the second of the start, which two boots may share. */
function macOf({ name }: BootCase): string {
  const [a, b, c] = createHash('sha256').update(name).digest('hex').match(/../g) as string[];
  return `52:54:00:${a}:${b}:${c}`;
}

/** As a provider does, each machine gets an instance id of its own. */
function instanceOf({ name }: BootCase): string {
  return `${SEED_HOSTNAME}-${name.replaceAll(/\W+/g, '-')}`;
}

async function watch(
  qemu: Qemu,
  dir: string,
  start: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<BootOutcome> {
  let ended = false;
  const onEnd = (): void => {
    ended = true;
  };
  qemu.ended.then(onEnd, onEnd);
  for (;;) {
    signal.throwIfAborted();
    // Asked before reading: a machine that ended has written everything.
    const last = ended;
    const progress = parseReport(await readSome(join(dir, 'report.log'), MAX_REPORT));
    const console = await readSome(join(dir, 'console.log'), MAX_CONSOLE);
    const seconds = (performance.now() - start) / 1000;
    if (progress.report) {
      const { report } = progress;
      return { seconds, report, firmwareSeconds: seconds - report.uptime, console };
    }
    const known = explainConsole(console);
    if (last || known?.final) {
      return { seconds, failure: known ?? stoppedEarly(console), console };
    }
    if (seconds * 1000 > timeoutMs) {
      return { seconds, failure: known ?? timedOut(progress, console, timeoutMs), console };
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

function stoppedEarly(console: string): Omit<BootFailure, 'final'> {
  return {
    reason: `the machine stopped or restarted before the system had settled: ${describeProgress(console)}`,
    hint: 'The last lines of the console say what it did.',
  };
}

function timedOut(progress: ReportProgress, console: string, timeoutMs: number): Omit<BootFailure, 'final'> {
  const after = `after ${timeoutMs / 1000} s`;
  if (!progress.started) {
    return {
      reason: `timeout ${after}: ${describeProgress(console)}`,
      hint: 'A slow machine needs a longer timeout; without hardware acceleration a boot takes 15 s and more.',
    };
  }
  const jobs = progress.jobs.length > 0 ? `; waiting for: ${progress.jobs.map(jobName).join(', ')}` : '';
  return {
    reason: `timeout ${after}: the system was still starting${jobs}`,
    hint: 'Find out why these units do not finish, or raise the timeout.',
  };
}

/** "123 cloud-final.service start running" → "cloud-final.service (running)". */
function jobName(line: string): string {
  const [, unit, , state] = line.trim().split(/\s+/);
  return state ? `${unit} (${state})` : line.trim();
}

/** The file's text; of a longer one the first and the last half of `limit` bytes. */
async function readSome(path: string, limit: number): Promise<string> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  if (size <= limit) return await file.readFile('utf8');
  const buffer = Buffer.alloc(limit);
  await file.read(buffer, 0, limit / 2, 0);
  await file.read(buffer, limit / 2, limit / 2, size - limit / 2);
  return buffer.toString('utf8');
}
