import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Context, note } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import type { Communicator } from '../core/machine.ts';
import { Scope } from '../core/scope.ts';
import { whyNotBootable } from '../host/bootable.ts';
import { openRootfs } from '../host/index.ts';
import { startQemu } from '../host/qemu.ts';
import type { Forward, QemuDisk } from '../host/qemu-command.ts';
import { createOverlay, type ImageFacts } from '../host/qemu-image.ts';
import { connectUnix } from '../host/qemu-qmp.ts';
import { writeSeed } from '../host/qemu-seed.ts';
import { headOf } from '../host/require-bootable.ts';
import { AgentChannel } from './agent/channel.ts';
import { AGENT_FILES, AGENT_UNIT, type GuestFile, WANTS_FOLDER } from './agent/guest.ts';
import { consoleTail, deathOf } from './vm/console-log.ts';

export type { GuestFile } from './agent/guest.ts';

export interface AgentVmOptions {
  /** Path of a disk image; only ever read. */
  readonly image: string;
  /** What `inspectImage` says of it. */
  readonly facts: ImageFacts;
  /** `isolated`: it reaches nothing outside. */
  readonly network: 'isolated' | 'user';
  /** TCP ports of the guest that get a loopback port of the host. */
  readonly ports?: readonly number[];
  /** More files for the throwaway copy. */
  readonly files?: readonly GuestFile[];
  /** Units among them that are started. */
  readonly units?: readonly string[];
}

/** A throwaway copy of an image, booted by QEMU with the image's own kernel. Dispose ends it. */
export interface AgentVm extends AsyncDisposable {
  readonly communicator: Pick<Communicator, 'exec'>;
  readonly forwards: readonly Forward[];
}

const READY_MS = { kvm: 120_000, tcg: 600_000 } as const;
const LOOK_MS = 200;

/**
 * Boots a copy of a disk image and waits until its systemd has settled. The copy has an agent on its second serial port, by
 * which commands run as root: neither network nor login is needed. Throws `machine/boot-failed`, `machine/boot-timeout`.
 */
export async function startAgentVm(o: AgentVmOptions, ctx: Context): Promise<AgentVm> {
  await using scope = new Scope();
  const { dir } = scope.use(await ctx.host.scratch(ctx.workDir, 'vm-'), "the machine's folder");
  const base: QemuDisk = { path: o.image, format: o.facts.format, readOnly: true };
  const disk = await createOverlay(ctx.host, join(dir, 'overlay.qcow2'), base, o.facts.virtualSize);
  const { hasCloudInit } = await addFiles(disk, dir, o, ctx);
  // With a seed it is what it will be at a provider: its cloud-init finds where it is, and sets up the network.
  const seed =
    hasCloudInit && (await writeSeed(ctx.host, dir, { instanceId: 'ingot-test', hostname: 'ingot-test' }));
  const qemu = scope.use(
    await startQemu(
      {
        disk: { ...disk, volatile: true },
        stateDir: dir,
        firmware: (await canBootByBios(base, o.facts.virtualSize, dir, ctx)) ? 'bios' : 'uefi',
        serial: [{ file: 'console.log' }, { socket: 'agent.sock' }],
        network: o.network,
        forwards: (o.ports ?? []).map((guest) => ({ guest, host: 0 })),
        ...(seed && { extraDisks: [seed] }),
      },
      ctx,
    ),
    'QEMU',
  );
  note(ctx, `a copy of the image boots: ${qemu.acceleration.reason}`);
  const socket = await connectUnix(join(dir, 'agent.sock'));
  scope.defer('the serial port', () => socket.destroy());
  const communicator = new AgentChannel(socket, ctx.epoch);
  const ended = qemu.ended.then(
    () => true,
    () => true,
  );
  const limit = READY_MS[qemu.acceleration.accel];
  await inTime(communicator.ready, ended, limit, join(dir, 'console.log'), ctx.signal);
  const settled = communicator.exec(['systemctl', 'is-system-running', '--wait'], { signal: ctx.signal });
  await inTime(settled, ended, limit, join(dir, 'console.log'), ctx.signal);
  const held = scope.move();
  return { communicator, forwards: qemu.forwards, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() };
}

async function addFiles(
  disk: QemuDisk,
  dir: string,
  o: AgentVmOptions,
  ctx: Context,
): Promise<{ readonly hasCloudInit: boolean }> {
  await using mount = await ctx.host.mountDisk({ disk, dir });
  const root = openRootfs(mount.target);
  if (!root.exists('/usr/lib/systemd/system/basic.target')) {
    throw new IngotError('machine/boot-failed', 'the image was to be booted, and it has no systemd', {
      hint: 'Checks of a booted image need one; --no-boot leaves them out.',
    });
  }
  for (const { path, content, mode } of [...AGENT_FILES, ...(o.files ?? [])]) {
    root.mkdir(path.slice(0, path.lastIndexOf('/')));
    root.write(path, content, { mode: mode ?? 0o644 });
  }
  root.mkdir(WANTS_FOLDER);
  for (const unit of [AGENT_UNIT, ...(o.units ?? [])]) root.symlink(`${WANTS_FOLDER}/${unit}`, `../${unit}`);
  return { hasCloudInit: root.exists('/usr/bin/cloud-init') };
}

async function canBootByBios(disk: QemuDisk, size: number, dir: string, { host }: Context): Promise<boolean> {
  return whyNotBootable(await headOf(host, disk, dir), size, 'bios') === undefined;
}

/** Waits for `wanted` until the machine ends, its console tells that it will never come up, or the time is over. */
async function inTime(
  wanted: Promise<unknown>,
  ended: Promise<boolean>,
  limit: number,
  console: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + limit;
  // A machine that ended answers nothing, too; its console tells more.
  const done = wanted.then(
    () => 'done' as const,
    () => 'gone' as const,
  );
  const gone = ended.then(() => 'gone' as const);
  for (;;) {
    const look = delay(LOOK_MS, 'look' as const, { signal });
    const what = await Promise.race([done, gone, look]);
    if (what === 'done') return;
    signal.throwIfAborted();
    const lines = await consoleTail(console, 60);
    const death = what === 'gone' ? 'it ended' : deathOf(lines);
    const output = lines.slice(-20);
    if (death !== undefined) {
      throw new IngotError('machine/boot-failed', `the copy of the image does not come up: ${death}`, {
        hint: 'The last lines of its console are below.',
        output,
      });
    }
    if (performance.now() < deadline) continue;
    throw new IngotError(
      'machine/boot-timeout',
      `the copy of the image had not settled after ${limit / 1000} s`,
      {
        hint: 'The last lines of its console are below; without hardware acceleration a boot takes a minute.',
        output,
      },
    );
  }
}
