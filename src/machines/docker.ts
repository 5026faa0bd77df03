import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { Artifact } from '../core/artifact.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import type { LayerChain } from '../core/layer.ts';
import type {
  Communicator,
  ExecOptions,
  ExecResult,
  GeneratedData,
  LeftMachine,
  Machine,
  TransferOptions,
} from '../core/machine.ts';
import { containerEnvironment } from './container/nspawn.ts';
import { packFolder, readUpload } from './container/upload.ts';
import { imageEnvironment } from './container/image-environment.ts';
import { userIn } from './container/user.ts';
import { loginOf, type Owner, ownerOf, ROOT } from './docker/container-user.ts';
import type { DockerEngine } from './docker/engine.ts';
import { runInContainer } from './docker/exec.ts';
import { downloadFile, downloadFolder, fileArchive, linkTarget, withoutTop } from './docker/transfer.ts';

export interface DockerContainerOptions {
  /** Body of `POST /containers/create`; input, output and removal are set here. */
  readonly create: Readonly<Record<string, unknown>> & {
    readonly HostConfig?: Readonly<Record<string, unknown>>;
  };
  readonly platform?: string;
  /** Default: the engine makes one up. */
  readonly name?: string;
  /** User of commands that name none. */
  readonly execUser?: string;
  readonly generated: GeneratedData;
  /** What the container becomes at the end. */
  readonly finish: (container: string) => Promise<Artifact>;
}

/** What the image and `docker run` settled (Docker Engine API, "ContainerInspect"). */
interface ContainerConfig {
  readonly User?: string;
  readonly Env?: readonly string[] | null;
}

/** Repository of the images that containers of failed builds leave. */
const LEFT = 'ingot-left';
/** A folder that is there stays whose it is. */
const MAKE_FOLDER = '[ -d "$1" ] || { mkdir -p -- "$1" && chown "$2" "$1"; }';

/**
 * A container of the Docker engine. Its first process waits for input that never comes: when this process ends,
 * however, the engine closes that input, the container ends, and is removed.
 */
export async function startDockerContainer(
  engine: DockerEngine,
  options: DockerContainerOptions,
  ctx: Context,
): Promise<Machine> {
  const { create, platform, name } = options;
  const { Id: id } = await engine.json<{ Id: string }>('/containers/create', {
    method: 'POST',
    query: { platform, name },
    json: {
      ...create,
      AttachStdin: true,
      OpenStdin: true,
      StdinOnce: true,
      Tty: false,
      HostConfig: { ...create.HostConfig, AutoRemove: true },
    },
    signal: ctx.signal,
  });
  try {
    const input = await engine.upgrade(`/containers/${id}/attach?stream=1&stdin=1`, undefined);
    // An engine that ends takes the connection along; the next request says so.
    input.on('error', () => {});
    input.resume();
    const { Config } = await engine.json<{ Config: ContainerConfig }>(`/containers/${id}/json`);
    const machine = new DockerMachine(engine, id, input, Config, options, ctx);
    await engine.json(`/containers/${id}/start`, { method: 'POST', signal: ctx.signal });
    return machine;
  } catch (error) {
    await engine.json(`/containers/${id}`, {
      method: 'DELETE',
      query: { force: 1, v: 1 },
      ok: [404, 409],
    });
    throw error;
  }
}

class DockerMachine implements Machine {
  readonly kind = 'docker';
  readonly os = 'linux';
  readonly chain: LayerChain = [];
  readonly generated: GeneratedData;
  readonly communicator: Communicator;
  readonly #engine: DockerEngine;
  readonly #id: string;
  readonly #input: Socket;
  readonly #config: ContainerConfig;
  readonly #options: DockerContainerOptions;
  readonly #ctx: Context;
  #gone = false;

  constructor(
    engine: DockerEngine,
    id: string,
    input: Socket,
    config: ContainerConfig,
    options: DockerContainerOptions,
    ctx: Context,
  ) {
    this.#engine = engine;
    this.#id = id;
    this.#input = input;
    this.#config = config;
    this.#options = options;
    this.#ctx = ctx;
    this.generated = new Map([...options.generated, ['ID', id]]);
    this.communicator = {
      exec: (argv, o) => this.#exec(argv, o),
      upload: (source, destination, o) => this.#upload(source, destination, o),
      uploadBytes: (data, destination, o) => this.#uploadBytes(data, destination, o),
      uploadDirectory: (source, destination, exclude) => this.#uploadDirectory(source, destination, exclude),
      download: (source, destination) => downloadFile(engine, id, source, destination),
      downloadDirectory: (source, destination) => downloadFolder(engine, id, source, destination),
    };
  }

  async finish(): Promise<Artifact> {
    return await this.#options.finish(this.#id);
  }

  /** Its files as an image: the container ends with us, whatever it is told. */
  async leave(): Promise<LeftMachine> {
    const tag = this.#id.slice(0, 12);
    const query = { container: this.#id, repo: LEFT, tag };
    await this.#engine.json('/commit', { method: 'POST', query, signal: this.#ctx.signal });
    await this[Symbol.asyncDispose]();
    return {
      look: `docker run --rm --interactive --tty --user=0 --entrypoint=/bin/sh ${LEFT}:${tag}`,
      fate: `and take it away with \`docker rmi ${LEFT}:${tag}\``,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#gone) return;
    this.#gone = true;
    this.#input.destroy();
    const path = `/containers/${this.#id}`;
    await this.#engine.json(path, { method: 'DELETE', query: { force: 1, v: 1 }, ok: [404, 409] });
    // Removal may be under way already, since the input has ended.
    await this.#engine.json(`${path}/wait`, {
      method: 'POST',
      query: { condition: 'removed' },
      ok: [404],
    });
  }

  async #exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const named =
      options.user === undefined ? undefined : userIn(await this.#read('/etc/passwd'), options.user);
    const user = options.user ?? this.#options.execUser;
    const own = named && { HOME: named.home, USER: named.name, LOGNAME: named.name };
    const env = { ...this.#environment(user ?? this.#config.User ?? ''), ...own, ...options.env };
    return await this.#run(argv, options, env, user);
  }

  async #run(
    argv: readonly string[],
    options: ExecOptions,
    env: Readonly<Record<string, string>>,
    user: string | undefined,
  ): Promise<ExecResult> {
    const signal = options.signal ?? this.#ctx.signal;
    return await runInContainer(this.#engine, this.#id, argv, { ...options, signal, env, user });
  }

  /**
   * What every command of `user` has, but for what the image sets itself: its PATH is where its programs are. HOME is the
   * engine's to say.
   */
  #environment(user: string): Record<string, string> {
    const {
      PATH: _path,
      HOME: _home,
      USER: _user,
      LOGNAME: _name,
      ...more
    } = containerEnvironment(this.#ctx.epoch);
    const login = user === '' ? 'root' : loginOf(user);
    const ours = { ...more, ...(login !== undefined && { USER: login, LOGNAME: login }) };
    const image = imageEnvironment(this.#config.Env ?? []);
    return Object.fromEntries(Object.entries(ours).filter(([name]) => !Object.hasOwn(image, name)));
  }

  /** Without a user who would have to be in the image. */
  async #runAsRoot(argv: readonly string[], signal?: AbortSignal): Promise<ExecResult> {
    return await this.#run(argv, signal ? { signal } : {}, this.#environment(''), '0');
  }

  async #read(path: string): Promise<string> {
    return (await this.#runAsRoot(['cat', path])).stdout;
  }

  /** Whom uploads belong to: as in Packer, the user that the container runs as. */
  async #owner(): Promise<Owner> {
    const user = this.#config.User ?? '';
    if (['', '0', 'root'].includes(user)) return ROOT;
    return ownerOf(user, await this.#read('/etc/passwd'), await this.#read('/etc/group'));
  }

  async #upload(source: string, destination: string, o: TransferOptions = {}): Promise<void> {
    const { stream, mode } = await readUpload(source);
    await this.#put(stream, (await stat(source)).size, destination, { mode, ...o });
  }

  async #uploadBytes(data: string | Uint8Array, destination: string, o: TransferOptions = {}): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data) : Buffer.from(data);
    await this.#put(Readable.from(bytes.length === 0 ? [] : [bytes]), bytes.length, destination, o);
  }

  async #put(content: Readable, size: number, destination: string, o: TransferOptions): Promise<void> {
    const target = (await linkTarget(this.#engine, this.#id, destination)) ?? destination;
    const owner = await this.#owner();
    const archive = fileArchive(basename(target), content, size, { ...owner, ...o, mtime: this.#ctx.epoch });
    await this.#putArchive(archive, dirname(target), `write ${destination}`);
  }

  async #uploadDirectory(
    source: string,
    destination: string,
    exclude: readonly string[] = [],
  ): Promise<void> {
    await using scratch = await this.#ctx.host.scratch(this.#ctx.workDir, 'upload-');
    const archive = join(scratch.dir, 'upload.tar');
    await packFolder(source, archive, exclude, this.#ctx);
    const owner = await this.#owner();
    const whose = `${owner.uid}:${owner.gid}`;
    const made = await this.#runAsRoot(['sh', '-c', MAKE_FOLDER, 'sh', destination, whose]);
    if (made.exitCode !== 0) throw failed(`make ${destination}`, made.stderr);
    await this.#putArchive(withoutTop(createReadStream(archive), owner), destination, `fill ${destination}`);
    await rm(archive);
  }

  async #putArchive(body: Readable, path: string, what: string): Promise<void> {
    try {
      const headers = { 'content-type': 'application/x-tar' };
      const query = { path, noOverwriteDirNonDir: 1, copyUIDGID: 0 };
      const target = `/containers/${this.#id}/archive`;
      (await this.#engine.request(target, { method: 'PUT', query, body, headers })).resume();
    } catch (error) {
      if (error instanceof IngotError && /docker-(not-found|refused)$/.test(error.code))
        throw failed(what, error.message);
      throw error;
    }
  }
}

function failed(what: string, output: string): IngotError {
  return new IngotError('machine/transfer-failed', `could not ${what} in the container`, {
    hint: 'Does the folder exist, and is there room?',
    output: output.split('\n').filter(Boolean).slice(-5),
  });
}
