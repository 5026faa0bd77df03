import { createReadStream } from 'node:fs';
import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Artifact } from '../core/artifact.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import type { RunOptions } from '../core/host.ts';
import { type Layer, type LayerChain, layerFs, type StagedLayer } from '../core/layer.ts';
import type {
  Communicator,
  ExecOptions,
  ExecResult,
  GeneratedData,
  Machine,
  TransferOptions,
} from '../core/machine.ts';
import { Scope } from '../core/scope.ts';
import { bootContainer, type BootedContainer } from './container/booted.ts';
import {
  type Bind,
  commandArguments,
  containerEnvironment,
  enterArguments,
  NSPAWN_ENVIRONMENT,
  type NspawnSettings,
} from './container/nspawn.ts';
import { OverlayRoot } from './container/overlay-root.ts';

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
}

/** Where systemd-nspawn keeps a folder a container (nspawn-mount.c). */
const PROPAGATE = '/run/systemd/nspawn/propagate';

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
  readonly #root: OverlayRoot;
  readonly #scope: Scope;
  readonly #name = `ingot-${process.pid}-${count++}`;
  readonly #chain: Layer[];
  /** Mount points that we made: empty files which must not stay. */
  readonly #placeholders = new Set<string>();
  #booted: BootedContainer | undefined;

  constructor(options: ContainerOptions, ctx: Context, dir: string, root: OverlayRoot, scope: Scope) {
    this.#options = options;
    this.#ctx = ctx;
    this.#dir = dir;
    this.#root = root;
    this.#scope = scope;
    this.#chain = [...options.base];
    this.generated = new Map<string, string>([
      ['ID', 'ingot-container'],
      ['Host', 'localhost'],
      ['User', 'root'],
    ]);
    this.communicator = {
      exec: (argv, o) => this.#exec(argv, o),
      upload: (source, destination, o) => this.#upload(source, destination, o),
      uploadBytes: (data, destination, o) => this.#put(data, destination, o),
      uploadDirectory: (source, destination, exclude) => this.#uploadDirectory(source, destination, exclude),
      download: (source, destination) => this.#download(source, destination),
      downloadDirectory: (source, destination) => this.#downloadDirectory(source, destination),
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
    await this.#root.moveUpper(layerFs(into), `${into.committedDir}/fs`, this.#placeholders, this.#ctx.epoch);
    this.#placeholders.clear();
    const parents = this.#chain.map((l) => l.id);
    this.#chain.push({
      id: into.id,
      kind: 'overlay',
      parents,
      blobs: [],
      localOnly: false,
      result: null,
      dir: into.committedDir,
    });
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
      // nspawn refuses to remove its own empty folder where /run is no tmpfs.
      await rm(join(PROPAGATE, this.#name), { recursive: true, force: true });
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
    const settings = await this.#settings();
    const env = containerEnvironment(this.#ctx.epoch, { ...this.#options.env, ...options.env });
    const leader = this.#options.boot ? (await this.#bootedOn(settings)).leader : undefined;
    const [command, args] =
      leader === undefined
        ? ['systemd-nspawn', commandArguments(settings, argv, options, env)]
        : ['nsenter', enterArguments(leader, argv, options, env)];
    const result = await this.#ctx.host.run(command as string, args as string[], {
      okCodes: 'any',
      env: NSPAWN_ENVIRONMENT,
      maxBytes: 1024 * 1024,
      onLine: (stream, line) => {
        if (!isNspawnChatter(line)) options.onLine?.(stream, line);
      },
      signal: options.signal ?? this.#ctx.signal,
      ...(input !== undefined && { input }),
      ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    });
    return { ...result, stderr: withoutChatter(result.stderr) };
  }

  async #settings(): Promise<NspawnSettings> {
    const root = await this.#root.mounted();
    const network = this.#options.network ?? 'host';
    const resolver: Bind[] =
      network === 'host' ? [{ source: '/etc/resolv.conf', target: '/etc/resolv.conf' }] : [];
    const binds = [...resolver, ...(this.#options.binds ?? [])];
    for (const { target } of binds) if (!root.lstat(target)) this.#placeholders.add(target);
    return { dir: root.dir, name: this.#name, hostname: 'localhost', network, binds };
  }

  async #bootedOn(settings: NspawnSettings): Promise<BootedContainer> {
    this.#booted ??= await bootContainer(settings, this.#ctx);
    return this.#booted;
  }

  async #shutDown(): Promise<void> {
    const booted = this.#booted;
    this.#booted = undefined;
    await booted?.[Symbol.asyncDispose]();
  }

  async #upload(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    const { mode } = await stat(source);
    await this.#write(createReadStream(source), destination, { mode: mode & 0o7777, ...options });
  }

  async #put(data: string | Uint8Array, destination: string, options: TransferOptions = {}): Promise<void> {
    await this.#write(data, destination, options);
  }

  /** Written by a process inside, so that no link of the image can lead to a file of the host. */
  async #write(
    input: NonNullable<RunOptions['input']>,
    destination: string,
    o: TransferOptions,
  ): Promise<void> {
    const script = 'umask 077 && cat > "$1" && chmod "$2" "$1" && chown "$3" "$1"';
    const owner = `${o.uid ?? 0}:${o.gid ?? 0}`;
    const mode = (o.mode ?? 0o644).toString(8);
    await this.#must(['sh', '-c', script, 'sh', destination, mode, owner], `write ${destination}`, input);
  }

  async #uploadDirectory(
    source: string,
    destination: string,
    exclude: readonly string[] = [],
  ): Promise<void> {
    const archive = join(this.#dir, 'upload.tar');
    // Without a trailing slash the folder itself goes in (rsync's rule).
    const [from, what] = source.endsWith('/') ? [source, '.'] : [dirname(source), basename(source)];
    await this.#ctx.host.run('tar', [
      '--create',
      `--file=${archive}`,
      '--sort=name',
      '--format=posix',
      '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      // Times of a checkout say when it was cloned: all become the epoch.
      `--mtime=@${this.#ctx.epoch}`,
      ...exclude.map((e) => `--exclude=${e}`),
      `--directory=${from}`,
      '--',
      what,
    ]);
    await this.#must(['mkdir', '-p', '--', destination], `make ${destination}`);
    await this.#must(
      ['tar', '--extract', '--file=-', '--no-overwrite-dir', `--directory=${destination}`],
      `fill ${destination}`,
      createReadStream(archive),
    );
  }

  async #must(argv: readonly string[], what: string, input?: RunOptions['input']): Promise<void> {
    const result = await this.#run(argv, {}, input);
    if (result.exitCode === 0) return;
    throw new IngotError(
      'machine/transfer-failed',
      `could not ${what} in the container: exit code ${result.exitCode}`,
      {
        hint: 'Does the folder exist, and is there room?',
        output: result.stderr.split('\n').filter(Boolean).slice(-5),
      },
    );
  }

  async #download(source: string, destination: string): Promise<void> {
    const root = await this.#root.mounted();
    const info = root.lstat(source);
    if (!info?.isFile()) {
      throw new IngotError('machine/no-such-file', `${source} is no file of the machine`, {
        hint: 'Give the path of a regular file; links are not followed.',
      });
    }
    await mkdir(dirname(destination), { recursive: true });
    await copyFile(root.hostPath(source), destination);
  }

  async #downloadDirectory(source: string, destination: string): Promise<void> {
    const root = await this.#root.mounted();
    const top = source.replace(/\/+$/, '');
    const into = source.endsWith('/') ? destination : join(destination, basename(top));
    for (const { path, stat: info } of root.walk(top)) {
      const target = join(into, path.slice(top.length));
      if (info.isDirectory()) await mkdir(target, { recursive: true });
      else if (info.isFile()) await copyFile(root.hostPath(path), target);
    }
  }
}

/** What nspawn itself says on the command's standard error where /run is no tmpfs. */
function isNspawnChatter(line: string): boolean {
  return line.startsWith(`Attempted to remove disk file system under "${PROPAGATE}/`);
}

function withoutChatter(text: string): string {
  return text.includes(PROPAGATE)
    ? text
        .split('\n')
        .filter((line) => !isNspawnChatter(line))
        .join('\n')
    : text;
}
