import { readFile, stat, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { type Context, note } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import type { AccelerationChoice } from './acceleration.ts';
import { type Qemu, startQemu } from './qemu.ts';
import type { DiskBus, Firmware, QemuDisk } from './qemu-command.ts';
import { ConsoleKeys } from './qemu-console.ts';
import { createOverlay, imageFingerprint, inspectImage } from './qemu-image.ts';
import { connectUnix } from './qemu-qmp.ts';
import { requireBootable } from './require-bootable.ts';
import { type Seed, writeSeed } from './qemu-seed.ts';

/** What is run, and with what. */
export interface CopyOptions {
  /** Path of a raw or qcow2 image; only ever read. */
  readonly image: string;
  /** Overlay to make, or to go on with: keeps what the machine writes. Default: thrown away. */
  readonly persist?: string;
  readonly firmware?: Firmware;
  readonly bus?: DiskBus;
  readonly cpus?: number;
  /** Bytes. */
  readonly memory?: number;
  readonly accel?: AccelerationChoice;
  readonly seed?: Seed | QemuDisk;
  /** Port of the guest that a loopback port is forwarded to; default 22. */
  readonly forward?: number;
}

export interface ConsoleOptions extends CopyOptions {
  /** The user's terminal. */
  readonly input: Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };
  readonly output: Writable;
}

/** How an interactive run ended. */
export type ConsoleEnd = 'poweroff' | 'quit';

/**
 * Runs an image with the serial console on the terminal until the guest powers off (or restarts), or Ctrl-A x.
 * The guest reaches the network; `forward` is told as a note of the step.
 */
export async function runAtConsole(o: ConsoleOptions, ctx: RunContext): Promise<ConsoleEnd> {
  return await withCopy(o, ctx, (socket, qemu) => attach(o, socket, qemu));
}

export type RunContext = Pick<Context, 'host' | 'signal' | 'emit' | 'step' | 'workDir'>;

/** Runs a copy of an image with its serial console on a socket, as long as it is used. */
export async function withCopy<T>(
  o: CopyOptions,
  ctx: RunContext,
  use: (console: Socket, qemu: Qemu) => Promise<T>,
): Promise<T> {
  const facts = await inspectImage(o.image);
  const { format, virtualSize } = facts;
  await using work = await ctx.host.scratch(ctx.workDir, 'run-');
  await requireBootable(ctx.host, o.image, facts, o.firmware ?? 'bios', work.dir);
  const base: QemuDisk = { path: resolve(o.image), format, readOnly: true };
  const disk = o.persist
    ? await persistentOverlay(ctx, resolve(o.persist), base, virtualSize)
    : {
        ...(await createOverlay(ctx.host, join(work.dir, 'overlay.qcow2'), base, virtualSize)),
        volatile: true,
      };
  const guest = o.forward ?? 22;
  await using qemu = await startQemu(
    {
      disk,
      stateDir: work.dir,
      ...(o.firmware && { firmware: o.firmware }),
      ...(o.bus && { bus: o.bus }),
      ...(o.cpus !== undefined && { cpus: o.cpus }),
      ...(o.memory !== undefined && { memory: o.memory }),
      ...(o.accel && { accel: o.accel }),
      serial: [{ socket: 'console.sock' }],
      network: 'user',
      forwards: [{ guest, host: 0 }],
      ...(o.seed && {
        extraDisks: ['path' in o.seed ? o.seed : await writeSeed(ctx.host, work.dir, o.seed)],
      }),
    },
    ctx,
  );
  note(ctx, qemu.acceleration.reason);
  note(ctx, `127.0.0.1:${qemu.forwards[0]?.host} leads to port ${guest} of the machine; Ctrl-A x ends it`);
  const socket = await connectUnix(join(work.dir, 'console.sock'));
  return await use(socket, qemu);
}

/** Joins the terminal and the console until either ends; the terminal is as before afterwards. */
async function attach(o: ConsoleOptions, socket: Socket, qemu: Qemu): Promise<ConsoleEnd> {
  const keys = new ConsoleKeys();
  let onQuit = (): void => {};
  const quit = new Promise<ConsoleEnd>((done) => {
    onQuit = () => done('quit');
  });
  const onInput = (chunk: Uint8Array): void => {
    const typed = keys.take(chunk);
    if (typed.data.length > 0) socket.write(typed.data);
    if (typed.quit) onQuit();
  };
  // A socket that breaks is the end of QEMU, which is awaited below.
  socket.on('error', () => {});
  socket.on('data', (chunk) => o.output.write(chunk));
  o.input.setRawMode?.(true);
  o.input.on('data', onInput);
  try {
    return await Promise.race([qemu.ended.then((): ConsoleEnd => 'poweroff'), quit]);
  } finally {
    o.input.off('data', onInput);
    o.input.setRawMode?.(false);
    o.input.pause();
    socket.destroy();
  }
}

/** An overlay that outlives the run. Beside it stands which image it belongs to: on another it would be garbage. */
async function persistentOverlay(
  ctx: Pick<Context, 'host'>,
  path: string,
  base: QemuDisk,
  size: number,
): Promise<QemuDisk> {
  const record = `${path}.base`;
  const mark = `${base.path}\n${await imageFingerprint(base.path)}\n`;
  if (await isFile(path)) {
    if ((await isFile(record)) && (await readFile(record, 'utf8')) === mark) {
      return { path, format: 'qcow2', backing: base };
    }
    throw new IngotError(
      'boot/other-base',
      `${path} holds changes to another image than ${base.path} as it is now`,
      {
        hint: 'Give the image that it was made with, or another path to start afresh.',
      },
    );
  }
  const overlay = await createOverlay(ctx.host, path, base, size);
  await writeFile(record, mark);
  return overlay;
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (s) => s.isFile(),
    () => false,
  );
}
