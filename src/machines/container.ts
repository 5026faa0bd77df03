import { readFileSync } from 'node:fs';
import type { Artifact } from '../core/artifact.ts';
import type { Context } from '../core/context.ts';
import type { RunOptions } from '../core/host.ts';
import { type Layer, type LayerChain, layerFs, type StagedLayer } from '../core/layer.ts';
import type {
  Communicator,
  ExecOptions,
  ExecResult,
  GeneratedData,
  LeftMachine,
  Machine,
} from '../core/machine.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { Scope } from '../core/scope.ts';
import { bootContainer, type BootedContainer, wentDown } from './container/booted.ts';
import {
  type Bind,
  type CommandOptions,
  commandArguments,
  containerEnvironment,
  enterCommand,
  NSPAWN_ENVIRONMENT,
  type NspawnSettings,
} from './container/nspawn.ts';
import type { ContainerRoot } from './container/root.ts';
import { LentFile } from './container/lent-file.ts';
import { forgetContainer, isNspawnChatter, withoutChatter } from './container/nspawn-residue.ts';
import { OverlayRoot } from './container/overlay-root.ts';
import { MACHINE_ID, quietBinds } from './container/quiet-boot.ts';
import { ContainerTransfers } from './container/transfers.ts';
import { findUser } from './container/user.ts';

export type { Bind } from './container/nspawn.ts';

export interface ContainerOptions {
  /** Layers below, lowest first; empty where `upper` is a whole system. */
  readonly base: LayerChain;
  /** A folder on the filesystem of `ctx.workDir` that holds changes already; taken over. */
  readonly upper?: string;
  /** systemd runs in it, so that `systemctl` works. Costs a boot and a shutdown between provisioners. */
  readonly boot?: boolean;
  readonly binds?: readonly Bind[];
  /** Variables of every command. */
  readonly env?: Readonly<Record<string, string>>;
  readonly network?: 'host' | 'none';
  /** A root of another kind than an overlay on `base`; gets a folder of its own. */
  readonly root?: (dir: string) => ContainerRoot;
  /** Who runs commands that name nobody; default root. */
  readonly user?: string;
  /** Run when systemd has settled, before the first command. */
  readonly onBoot?: (run: (argv: readonly string[]) => Promise<ExecResult>) => Promise<void>;
  /** Words for PID 1 beside or in place of ours. */
  readonly bootWords?: () => readonly string[];
}

let count = 0;

/**
 * A container on overlay layers, by systemd-nspawn: root inside, but without the capabilities that reach the
 * host. Between commands nothing runs in it, unless `boot` is set. Needs root.
 */
export async function startContainer(options: ContainerOptions, ctx: Context): Promise<Machine> {
  ctx.host.requireRoot('to start containers');
  await using scope = new Scope();
  const scratch = scope.use(await ctx.host.scratch(ctx.workDir, 'container-'), "the container's folder");
  const root = scope.use(
    options.root?.(scratch.dir) ??
      new OverlayRoot(ctx.host, scratch.dir, options.base.map(layerFs), options.upper),
    "the container's root",
  );
  return new Container(options, ctx, scratch.dir, root, scope.move());
}

class Container implements Machine {
  readonly kind = 'container';
  readonly os = 'linux';
  readonly generated: GeneratedData;
  readonly communicator: Communicator;
  readonly #options: ContainerOptions;
  readonly #ctx: Context;
  readonly #dir: string;
  readonly #root: ContainerRoot;
  readonly #scope: Scope;
  readonly #name = `ingot-${process.pid}-${count++}`;
  readonly #chain: Layer[];
  /** Mount points that we made: empty files which must not stay. */
  readonly #placeholders = new Set<string>();
  /** The builder's resolver. */
  readonly #resolver: LentFile | undefined;
  readonly #machineId = new LentFile('/etc/machine-id', MACHINE_ID);
  #booted: BootedContainer | undefined;

  constructor(options: ContainerOptions, ctx: Context, dir: string, root: ContainerRoot, scope: Scope) {
    this.#options = options;
    this.#ctx = ctx;
    this.#dir = dir;
    this.#root = root;
    this.#scope = scope;
    this.#chain = [...options.base];
    const resolver = options.network === 'none' ? undefined : readIfThere('/etc/resolv.conf');
    this.#resolver = resolver && new LentFile('/etc/resolv.conf', resolver);
    this.generated = new Map<string, string>([
      ['ID', 'ingot-container'],
      ['Host', 'localhost'],
      ['User', options.user ?? 'root'],
    ]);
    const files = new ContainerTransfers({
      root,
      dir,
      user: options.user,
      ctx,
      run: (argv, o, input) => this.#run(argv, o, input),
    });
    this.communicator = {
      exec: (argv, o) => this.#exec(argv, o),
      upload: (source, destination, o) => files.upload(source, destination, o),
      uploadBytes: (data, destination, o) => files.uploadBytes(data, destination, o),
      uploadDirectory: (source, destination, exclude) => files.uploadDirectory(source, destination, exclude),
      download: (source, destination) => files.download(source, destination),
      downloadDirectory: (source, destination) => files.downloadDirectory(source, destination),
    };
  }

  get chain(): LayerChain {
    return this.#chain;
  }

  async reboot(): Promise<void> {
    await this.#shutDown();
  }

  async snapshot(into: StagedLayer): Promise<void> {
    await this.#shutDown();
    const lent = [...(this.#resolver ? [this.#resolver] : []), this.#machineId];
    const leave = { lent, residue: this.#placeholders };
    await this.#root.moveInto(into, leave, this.#ctx.epoch);
    this.#placeholders.clear();
    const parents = this.#chain.map((l) => l.id);
    this.#chain.push({
      id: into.id,
      kind: this.#root.kind,
      parents,
      blobs: [],
      localOnly: false,
      result: null,
      dir: into.committedDir,
    });
  }

  async leave(): Promise<LeftMachine> {
    await this.#shutDown();
    const dir = this.#root.leave ? await this.#root.leave() : (await this.#root.mounted()).dir;
    this.#scope.move();
    return { look: `systemd-nspawn --quiet --register=no --keep-unit --directory=${dir}` };
  }

  async finish(): Promise<Artifact> {
    await this.#shutDown();
    return {
      builderId: 'ingot.container',
      id: this.#name,
      files: [],
      description: 'a filesystem in layers',
      rootfs: this.#chain,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#shutDown();
    } finally {
      await forgetContainer(this.#name);
      await this.#scope[Symbol.asyncDispose]();
    }
  }

  async #exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return await this.#run(argv, options, options.input);
  }

  async #run(
    argv: readonly string[],
    options: ExecOptions,
    input?: RunOptions['input'],
  ): Promise<ExecResult> {
    const root = await this.#root.mounted();
    this.#resolver?.lend(root, this.#root.upper);
    const booted = this.#options.boot ? await this.#bootedOn(root) : undefined;
    const name = options.user ?? this.#options.user;
    const user = name === undefined ? undefined : findUser(root, name);
    const env = containerEnvironment(this.#ctx.epoch, {
      ...(user && { HOME: user.home, USER: user.name, LOGNAME: user.name }),
      ...this.#options.env,
      ...options.env,
    });
    const how: CommandOptions = {
      ...(user && { user }),
      ...(options.cwd !== undefined && { cwd: options.cwd }),
    };
    const [command, args]: [string, string[]] = booted
      ? enterCommand(booted.leader, argv, how, env)
      : ['systemd-nspawn', commandArguments(this.#settings(root), argv, how, env)];
    const signal = options.signal ?? this.#ctx.signal;
    const result = await this.#ctx.host.run(command, args, {
      okCodes: 'any',
      env: NSPAWN_ENVIRONMENT,
      maxBytes: 1024 * 1024,
      onLine: (stream, line) => {
        if (!isNspawnChatter(line)) options.onLine?.(stream, line);
      },
      signal: booted ? AbortSignal.any([signal, booted.down]) : signal,
      ...(input !== undefined && { input }),
      ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    });
    // A command that the shutdown ended may be heard of before the shutdown itself.
    if (booted && result.exitCode !== 0 && !(await booted.isUp())) throw wentDown();
    return { exitCode: result.exitCode, stdout: result.stdout, stderr: withoutChatter(result.stderr) };
  }

  #settings(root: Rootfs, more: readonly Bind[] = []): NspawnSettings {
    const binds = this.#options.binds ?? [];
    for (const { target } of binds) if (!root.lstat(target)) this.#placeholders.add(target);
    const network = this.#options.network ?? 'host';
    return { dir: root.dir, name: this.#name, hostname: 'localhost', network, binds: [...binds, ...more] };
  }

  async #bootedOn(root: Rootfs): Promise<BootedContainer> {
    if (this.#booted && !(await this.#booted.isUp())) await this.#shutDown();
    if (!this.#booted) {
      const id = root.exists('/etc/machine-id') ? root.readText('/etc/machine-id').trim() : '';
      if (!/^[0-9a-f]{32}$/.test(id)) this.#machineId.lend(root, this.#root.upper);
      const booted = await bootContainer(
        this.#settings(root, quietBinds(this.#dir)),
        this.#ctx,
        this.#options.bootWords?.(),
      );
      this.#booted = booted;
      await this.#options.onBoot?.(async (argv) => {
        const [command, args] = enterCommand(booted.leader, argv, {}, containerEnvironment(this.#ctx.epoch));
        return await this.#ctx.host.run(command, args, { okCodes: 'any', signal: this.#ctx.signal });
      });
    }
    return this.#booted;
  }

  async #shutDown(): Promise<void> {
    const booted = this.#booted;
    this.#booted = undefined;
    await booted?.[Symbol.asyncDispose]();
  }
}

/** A host file's bytes, where it is there. */
function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
