import { type FileHandle, open } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { IngotError } from '../core/error.ts';

/** Most bytes that one message of QEMU may have. */
const MAX_MESSAGE = 1024 * 1024;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A connection to QEMU's monitor (QEMU Machine Protocol: one JSON object a line; docs/interop/qmp-spec).
 * Of its events one is heard: whoever waits for the end waits for the process.
 */
export class Qmp implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  /** Called when the host has no room for what the guest writes: QEMU has stopped it (BLOCK_IO_ERROR, "nospace"). */
  onDiskFull: (() => void) | undefined;
  #nextId = 1;
  #buffer = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('QEMU closed its monitor')));
  }

  /** Connects and leaves the negotiation mode. The socket's path may be of any length. */
  static async connect(path: string): Promise<Qmp> {
    const qmp = new Qmp(await connectUnix(path));
    await qmp.execute('qmp_capabilities');
    return qmp;
  }

  /** Runs one command and answers its `return`. Throws `qemu/monitor` when QEMU refuses it or is gone. */
  async execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = this.#nextId++;
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { resolve, reject });
        if (this.#socket.destroyed) this.#fail(new Error('QEMU closed its monitor'));
        else this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
      });
    } catch (cause) {
      throw new IngotError(
        'qemu/monitor',
        `QEMU's monitor did not do "${command}": ${(cause as Error).message}`,
        {
          cause,
        },
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }

  #receive(chunk: string): void {
    this.#buffer += chunk;
    for (let end = this.#buffer.indexOf('\n'); end >= 0; end = this.#buffer.indexOf('\n')) {
      const line = this.#buffer.slice(0, end);
      this.#buffer = this.#buffer.slice(end + 1);
      this.#dispatch(line);
    }
    if (this.#buffer.length > MAX_MESSAGE) {
      this.#socket.destroy(new Error(`a monitor message is longer than ${MAX_MESSAGE} bytes`));
    }
  }

  #dispatch(line: string): void {
    const message = parseMessage(line);
    if (message === undefined) {
      this.#socket.destroy(new Error(`the monitor sent something else than JSON: ${line.slice(0, 80)}`));
      return;
    }
    if (message.event === 'BLOCK_IO_ERROR' && message.data?.nospace === true) this.onDiskFull?.();
    const pending = typeof message.id === 'number' ? this.#pending.get(message.id) : undefined;
    if (pending === undefined) return;
    this.#pending.delete(message.id as number);
    if (message.error === undefined) pending.resolve(message.return);
    else pending.reject(new Error(message.error.desc ?? 'unknown error'));
  }

  #fail(error: Error): void {
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}

interface Message {
  readonly id?: unknown;
  readonly return?: unknown;
  readonly error?: { readonly desc?: string };
  readonly event?: unknown;
  readonly data?: { readonly nospace?: unknown };
}

function parseMessage(line: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Connects to a unix socket. The kernel takes 107 bytes of path at most (unix(7)), and work folders may be
 * deeper, so the way leads through the folder's descriptor. A connection that breaks later ends in `close`; it is no
 * uncaught error where nobody listens for that yet.
 */
export async function connectUnix(path: string): Promise<Socket> {
  const folder: FileHandle = await open(dirname(path), 'r');
  try {
    return await new Promise((resolve, reject) => {
      const socket = createConnection(`/proc/self/fd/${folder.fd}/${basename(path)}`);
      socket.once('connect', () => {
        socket.on('error', () => {});
        socket.off('error', reject);
        resolve(socket);
      });
      socket.once('error', reject);
    });
  } finally {
    await folder.close();
  }
}
