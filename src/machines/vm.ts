import { link, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact } from '../core/artifact.ts';
import { type Context, note } from '../core/context.ts';
import { type Layer, type LayerChain, layerFile, type StagedLayer } from '../core/layer.ts';
import type { Communicator, GeneratedData, LeftMachine, Machine, MemorySnapshot } from '../core/machine.ts';
import { Scope } from '../core/scope.ts';
import type { QemuDisk } from '../host/qemu-command.ts';
import { createOverlay } from '../host/qemu-image.ts';
import { noCommunicator } from './no-machine.ts';
import { SshCommunicator } from './ssh/communicator.ts';
import { SshSession } from './ssh/session.ts';
import { chainDisk, LAYER_DISK } from './vm/chain-disk.ts';
import type { VmOptions } from './vm/options.ts';
import { leaveVm } from './vm/leave.ts';
import { wayIn } from './vm/way-in.ts';
import { placeImage } from './vm/place-image.ts';
import { canKeepMemory, isNoState, keepMemory, memoryFor } from './vm/memory.ts';
import { type RunningVm, startVm } from './vm/running.ts';

export type { VmHardware, VmOptions } from './vm/options.ts';

/**
 * A virtual machine by QEMU on the disks of a chain, reached over SSH. It starts when something is first run in it.
 * A snapshot is taken while it runs: its disk at one moment, after everything that was written has reached it.
 */
export async function createVm(options: VmOptions, ctx: Context): Promise<Vm> {
  const scratch = await ctx.host.scratch(ctx.workDir, 'vm-');
  const scope = new Scope();
  scope.use(scratch, "the machine's folder");
  return new Vm(options, ctx, scratch.dir, scope);
}

export class Vm implements Machine {
  readonly kind = 'vm';
  readonly os = 'linux';
  readonly communicator: Communicator;
  readonly #generated = new Map<string, string | number | boolean>();
  readonly #options: VmOptions;
  readonly #ctx: Context;
  readonly #dir: string;
  readonly #scope: Scope;
  readonly #chain: Layer[];
  readonly keepsMemory: boolean;
  #running: Promise<RunningVm> | undefined;
  /** The overlay that takes what the machine writes. */
  #overlay: string | undefined;
  #round = 0;
  /** Settles when the memory of the last snapshot is written. */
  #saved: Promise<unknown> = Promise.resolve();

  constructor(options: VmOptions, ctx: Context, dir: string, scope: Scope) {
    this.#options = options;
    this.#ctx = ctx;
    this.#dir = dir;
    this.#scope = scope;
    this.#chain = [...options.base];
    this.keepsMemory = canKeepMemory(options.hardware) && options.ssh !== 'none';
    this.#generated.set('ID', 'ingot-vm');
    this.#generated.set('Host', '127.0.0.1');
    if (options.ssh !== 'none') this.#generated.set('User', options.ssh.username);
    this.communicator =
      options.ssh === 'none'
        ? noCommunicator
        : new SshCommunicator({ run: async (command, o) => (await this.#session()).run(command, o) }, ctx);
  }

  get generated(): GeneratedData {
    return this.#generated;
  }

  get chain(): LayerChain {
    return this.#chain;
  }

  /** Starts it, where it does not run, and waits until it lets us in. */
  async up(): Promise<void> {
    const vm = await this.#up();
    await vm.session?.connected();
  }

  /** Starts it, and waits until it has shut itself down: the only word of a machine that nobody is let into. */
  async untilOff(): Promise<void> {
    const vm = await this.#up();
    note(this.#ctx, 'waiting for the machine to shut itself down');
    await vm.untilOff();
  }

  async reboot(): Promise<void> {
    const vm = await this.#up();
    await vm.session?.run('sync');
    await vm.session?.disconnect();
    await vm.qemu.execute('system_reset');
    await vm.session?.connected();
  }

  async snapshot(into: StagedLayer, memory?: StagedLayer): Promise<MemorySnapshot | undefined> {
    const target = layerFile(into, LAYER_DISK);
    const vm = await this.#running;
    let kept: MemorySnapshot | undefined;
    if (vm?.isUp()) kept = await this.#cut(vm, target, memory);
    else if (this.#overlay !== undefined) await rename(this.#overlay, target);
    else if (this.#chain.length === 0 && this.#options.image)
      await placeImage(this.#ctx, this.#options.image, target);
    else await createOverlay(this.#ctx.host, target, this.#below() as QemuDisk, this.#options.diskSize);
    if (!vm?.isUp()) this.#overlay = undefined;
    this.#chain.push({
      id: into.id,
      kind: 'qcow2',
      parents: this.#chain.map((l) => l.id),
      blobs: [],
      localOnly: false,
      result: null,
      dir: into.committedDir,
    });
    return kept;
  }

  /** Shuts it down; its disk can be taken by `snapshot` afterwards. */
  async finish(): Promise<Artifact> {
    const vm = await this.#running;
    if (vm?.isUp()) await vm.shutDown(this.#saved);
    this.#running = undefined;
    return {
      builderId: 'ingot.vm',
      id: 'vm',
      files: [],
      description: 'a disk in layers',
      rootfs: this.#chain,
    };
  }

  async leave(): Promise<LeftMachine | undefined> {
    const vm = await this.#running?.catch(() => undefined);
    if (!vm || this.#overlay === undefined) return undefined;
    const below = this.#below();
    const disk: QemuDisk = { path: this.#overlay, format: 'qcow2', ...(below && { backing: below }) };
    const login = await wayIn(this.#options, vm.port, this.#dir, this.#ctx);
    const look = await leaveVm(vm, disk, this.#dir, login);
    this.#scope.move();
    return { look };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.catch(() => undefined);
    await this.#scope[Symbol.asyncDispose]();
  }

  async #session(): Promise<SshSession> {
    return (await this.#up()).session as SshSession;
  }

  #up(): Promise<RunningVm> {
    this.#running ??= this.#start();
    return this.#running;
  }

  async #start(): Promise<RunningVm> {
    const below = this.#below();
    this.#overlay = join(this.#dir, `disk${this.#round++}.qcow2`);
    const { host } = this.#ctx;
    const empty: QemuDisk = { path: this.#overlay, format: 'qcow2' };
    await createOverlay(host, this.#overlay, below ?? empty, this.#options.diskSize);
    const disk = { ...empty, ...(below && { backing: below }) };
    const vm = await this.#resumed(disk);
    this.#generated.set('Port', vm.port);
    await this.#options.onStart?.({ dir: this.#dir });
    return vm;
  }

  /** On the memory that was kept with these layers, where there is one that fits; else it boots. */
  async #resumed(disk: QemuDisk): Promise<RunningVm> {
    const { memory, base } = this.#options;
    const top = this.#chain.length === base.length ? disk.backing?.path : undefined;
    const resume = memory && top !== undefined ? await memoryFor(memory, top) : undefined;
    const start = (from?: typeof resume): Promise<RunningVm> =>
      startVm(this.#options, disk, this.#dir, this.#scope, this.#ctx, from);
    if (!resume) return await start();
    try {
      return await start(resume);
    } catch (error) {
      if (!isNoState(error)) throw error;
      note(this.#ctx, `the machine cannot go on from its kept memory: ${(error as Error).message}`);
      return await start();
    }
  }

  #below(): QemuDisk | undefined {
    return chainDisk(this.#chain) ?? this.#options.image;
  }

  /** Everything that was written reaches the disk; then, in one moment, a new overlay takes what comes. */
  async #cut(
    vm: RunningVm,
    target: string,
    memory: StagedLayer | undefined,
  ): Promise<MemorySnapshot | undefined> {
    await vm.session?.run('sync', { signal: this.#ctx.signal });
    await this.#saved;
    const next = join(this.#dir, `disk${this.#round++}.qcow2`);
    await vm.qemu.execute('stop');
    await vm.live.continueIn(this.#ctx.host, next, this.#options.diskSize);
    // The old name stays as long as QEMU runs, which opens the file by it once more.
    await link(this.#overlay as string, target);
    this.#overlay = next;
    if (!memory) {
      await vm.qemu.execute('cont');
      return undefined;
    }
    const kept = await keepMemory(vm.qemu, target, memory, this.#ctx);
    this.#saved = kept.written;
    return kept;
  }
}
