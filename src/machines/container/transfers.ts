import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { RunOptions } from '../../core/host.ts';
import type { Communicator, ExecOptions, ExecResult, TransferOptions } from '../../core/machine.ts';
import { copyOut } from './copy-out.ts';
import type { ContainerRoot } from './root.ts';
import { packFolder, readUpload } from './upload.ts';

/** The container that files go into and come out of. */
interface Container {
  readonly root: ContainerRoot;
  /** A folder on the host for what is on its way. */
  readonly dir: string;
  /** Who logs in, where it is not root. */
  readonly user: string | undefined;
  readonly ctx: Context;
  run(argv: readonly string[], options: ExecOptions, input?: RunOptions['input']): Promise<ExecResult>;
}

/** Files into a container, by its own commands, and out of it, by its mounted root. */
export class ContainerTransfers implements Omit<Communicator, 'exec'> {
  readonly #on: Container;

  constructor(container: Container) {
    this.#on = container;
  }

  async upload(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    const { stream, mode } = await readUpload(source);
    try {
      await this.#write(stream, destination, { mode, ...options });
    } finally {
      // Where the command did not come to read it.
      stream.destroy();
    }
  }

  async uploadBytes(
    data: string | Uint8Array,
    destination: string,
    options: TransferOptions = {},
  ): Promise<void> {
    await this.#write(data, destination, options);
  }

  /** Written by a process inside, so that no link of the image can lead to a file of the host. */
  async #write(
    input: NonNullable<RunOptions['input']>,
    destination: string,
    o: TransferOptions,
  ): Promise<void> {
    // Whoever logs in owns what is sent, unless an owner is named.
    const isOwn = this.#on.user !== undefined && o.uid === undefined && o.gid === undefined;
    const script = isOwn
      ? 'umask 077 && cat > "$1" && chmod "$2" "$1"'
      : 'umask 077 && cat > "$1" && chown "$3" "$1" && chmod "$2" "$1"';
    const owner = `${o.uid ?? 0}:${o.gid ?? 0}`;
    const mode = (o.mode ?? 0o644).toString(8);
    const user = isOwn || this.#on.user === undefined ? {} : { user: 'root' };
    await this.#must(
      ['sh', '-c', script, 'sh', destination, mode, owner],
      `write ${destination}`,
      input,
      user,
    );
  }

  async uploadDirectory(source: string, destination: string, exclude: readonly string[] = []): Promise<void> {
    const archive = join(this.#on.dir, 'upload.tar');
    await packFolder(source, archive, exclude, this.#on.ctx);
    await this.#must(['mkdir', '-p', '--', destination], `make ${destination}`);
    await this.#must(
      ['tar', '--extract', '--file=-', '--no-overwrite-dir', `--directory=${destination}`],
      `fill ${destination}`,
      createReadStream(archive),
    );
    await rm(archive);
  }

  async #must(
    argv: readonly string[],
    what: string,
    input?: RunOptions['input'],
    options: Pick<ExecOptions, 'user'> = {},
  ): Promise<void> {
    const result = await this.#on.run(argv, options, input);
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

  async download(source: string, destination: string): Promise<void> {
    await mkdir(dirname(destination), { recursive: true });
    await copyOut(await this.#on.root.mounted(), source, destination);
  }

  async downloadDirectory(source: string, destination: string): Promise<void> {
    const root = await this.#on.root.mounted();
    const top = source.replace(/\/+$/, '');
    const into = source.endsWith('/') ? destination : join(destination, basename(top));
    if (!root.lstat(top)?.isDirectory()) {
      throw new IngotError('machine/no-such-file', `${source} is no folder of the machine`, {
        hint: 'A source that ends in "/" is a folder; leave the slash out for a file.',
      });
    }
    for (const { path, stat } of root.walk(top)) {
      const target = join(into, path.slice(top.length));
      if (stat.isDirectory()) await mkdir(target, { recursive: true });
      else if (stat.isFile()) await copyOut(root, path, target);
    }
  }
}
