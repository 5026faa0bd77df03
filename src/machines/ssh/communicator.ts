import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import { quoteWord } from '../../core/shell-words.ts';
import type { Communicator, ExecOptions, ExecResult, TransferOptions } from '../../core/machine.ts';
import { packFolder, readUpload } from '../container/upload.ts';
import { commandText, parsePasswd, type SshUser } from './command-text.ts';
import type { RunOverSsh } from './exec.ts';
import type { SshSession } from './session.ts';
import { unpackFolder } from './unpack-folder.ts';

/** Most time that ending a command may take. */
const KILL_MS = 15_000;

let count = 0;

/** Commands and files over SSH, by what every POSIX system has: a shell, cat and tar. */
export class SshCommunicator implements Communicator {
  readonly #session: Pick<SshSession, 'run'>;
  readonly #ctx: Context;
  readonly #users = new Map<string, SshUser>();
  #login: { readonly uid: number } | undefined;

  constructor(session: Pick<SshSession, 'run'>, ctx: Context) {
    this.#session = session;
    this.#ctx = ctx;
  }

  async exec(argv: readonly string[], o: ExecOptions = {}): Promise<ExecResult> {
    return await this.#run(argv, o, o.input === undefined ? {} : { input: o.input });
  }

  async upload(source: string, destination: string, o: TransferOptions = {}): Promise<void> {
    const { stream, mode } = await readUpload(source);
    await this.#write(stream, destination, { mode, ...o });
  }

  async uploadBytes(data: string | Uint8Array, destination: string, o: TransferOptions = {}): Promise<void> {
    await this.#write(data, destination, o);
  }

  async uploadDirectory(source: string, destination: string, exclude: readonly string[] = []): Promise<void> {
    await using scratch = await this.#ctx.host.scratch(this.#ctx.workDir, 'upload-');
    const archive = join(scratch.dir, 'upload.tar');
    await packFolder(source, archive, exclude, this.#ctx);
    await this.#must(['mkdir', '-p', '--', destination], `make ${destination}`);
    const tar = ['tar', '--extract', '--file=-', '--no-overwrite-dir', `--directory=${destination}`];
    await this.#must(tar, `fill ${destination}`, createReadStream(archive));
  }

  async download(source: string, destination: string): Promise<void> {
    await this.#mustBe('-f', source, 'file');
    await mkdir(dirname(destination), { recursive: true });
    await this.#fetch(['cat', '--', source], destination, source);
  }

  async downloadDirectory(source: string, destination: string): Promise<void> {
    const top = source.replace(/\/+$/, '') || '/';
    await this.#mustBe('-d', top, 'folder');
    const into = source.endsWith('/') ? destination : join(destination, basename(top));
    await using scratch = await this.#ctx.host.scratch(this.#ctx.workDir, 'download-');
    const archive = join(scratch.dir, 'download.tar');
    await this.#fetch(
      ['tar', '--create', '--file=-', '--format=posix', `--directory=${top}`, '.'],
      archive,
      source,
    );
    await unpackFolder(archive, into);
  }

  async #run(argv: readonly string[], o: ExecOptions, more: RunOverSsh): Promise<ExecResult> {
    const user = o.user === undefined ? undefined : await this.#user(o.user);
    const mark = `INGOT_COMMAND=${process.pid}-${count++}.`;
    const text = commandText(argv, {
      login: await this.#loginUser(),
      env: {
        INGOT_COMMAND: mark.slice(mark.indexOf('=') + 1),
        SOURCE_DATE_EPOCH: String(this.#ctx.epoch),
        DEBIAN_FRONTEND: 'noninteractive',
        ...o.env,
      },
      ...(o.cwd !== undefined && { cwd: o.cwd }),
      ...(user && { user }),
    });
    return await this.#session.run(text, {
      signal: o.signal ?? this.#ctx.signal,
      ...(o.onLine && { onLine: o.onLine }),
      ...(o.timeoutMs !== undefined && { timeoutMs: o.timeoutMs }),
      kill: (signal) => this.#kill(mark, signal),
      ...more,
    });
  }

  /** Signals every process that carries the mark in its environment, and thus all that a command has started. */
  async #kill(mark: string, signal: 'TERM' | 'KILL'): Promise<void> {
    const script = `for p in /proc/[0-9]*; do grep -qsF ${quoteWord(mark)} "$p/environ" && kill -${signal} "\${p#/proc/}"; done`;
    const sudo = (await this.#loginUser()).uid === 0 ? '' : 'sudo -n ';
    await this.#session.run(`${sudo}/bin/sh -c ${quoteWord(script)}`, { timeoutMs: KILL_MS, pty: false });
  }

  async #loginUser(): Promise<{ readonly uid: number }> {
    if (!this.#login) {
      const { stdout } = await this.#session.run('id -u', { signal: this.#ctx.signal, pty: false });
      this.#login = { uid: Number.parseInt(stdout, 10) };
    }
    return this.#login;
  }

  async #user(name: string): Promise<SshUser> {
    const known = this.#users.get(name);
    if (known) return known;
    const { stdout } = await this.#run(['getent', 'passwd', name], {}, { pty: false });
    const user = parsePasswd(stdout);
    if (!user) {
      throw new IngotError('machine/no-such-user', `the machine has no user ${JSON.stringify(name)}`, {
        hint: 'Make it in an earlier provisioner: useradd --create-home NAME.',
      });
    }
    this.#users.set(name, user);
    return user;
  }

  async #write(
    input: NonNullable<RunOverSsh['input']>,
    destination: string,
    o: TransferOptions,
  ): Promise<void> {
    const mode = (o.mode ?? 0o644).toString(8);
    const owner = o.uid === undefined && o.gid === undefined ? '' : `${o.uid ?? ''}:${o.gid ?? ''}`;
    const sudo = (await this.#loginUser()).uid === 0 ? '' : 'sudo -n ';
    // Changing the owner takes away the bits that the mode may have.
    const script =
      owner === ''
        ? 'umask 077 && cat > "$1" && chmod "$2" "$1"'
        : `umask 077 && cat > "$1" && ${sudo}chown "$3" "$1" && ${sudo}chmod "$2" "$1"`;
    await this.#must(['sh', '-c', script, 'sh', destination, mode, owner], `write ${destination}`, input);
  }

  async #must(argv: readonly string[], what: string, input?: RunOverSsh['input']): Promise<void> {
    const result = await this.#run(argv, {}, { pty: false, ...(input !== undefined && { input }) });
    if (result.exitCode === 0) return;
    throw new IngotError(
      'machine/transfer-failed',
      `could not ${what} in the machine: exit code ${result.exitCode}`,
      {
        hint: 'Does the folder exist, may the SSH user write there, and is there room?',
        output: result.stderr.split('\n').filter(Boolean).slice(-5),
      },
    );
  }

  async #mustBe(test: '-f' | '-d', path: string, what: string): Promise<void> {
    const { exitCode } = await this.#run(['test', test, path], {}, { pty: false });
    if (exitCode === 0) return;
    throw new IngotError('machine/no-such-file', `${path} is no ${what} of the machine`, {
      hint: 'Give the path of a regular file, or of a folder with a "/" at its end.',
    });
  }

  /** Writes what a command prints into a file of the host. */
  async #fetch(argv: readonly string[], target: string, source: string): Promise<void> {
    const output = createWriteStream(target, { mode: 0o644 });
    const { exitCode, stderr } = await this.#run(argv, {}, { pty: false, output });
    if (exitCode === 0) return;
    await rm(target, { force: true });
    throw new IngotError('machine/transfer-failed', `could not read ${source}: exit code ${exitCode}`, {
      output: stderr.split('\n').filter(Boolean).slice(-5),
    });
  }
}
