import { readFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Context } from '../../core/context.ts';
import { asIngotError } from '../../core/error.ts';
import type { ExecResult, Machine } from '../../core/machine.ts';
import { type AnsibleEvent, readEvent } from './recap.ts';

/** Where Ansible's plugins reach a machine: `ingot.py` asks for commands and files, `ingot_report.py` tells results. */
export interface Bridge extends AsyncDisposable {
  /** Resolves when everything that Ansible had to tell was heard. */
  settled(): Promise<void>;
}

interface Request {
  readonly op: 'exec' | 'put' | 'fetch' | 'events';
  /** Length of the body behind the header. */
  readonly bytes: number;
  /** Ansible's address of the host that it means. */
  readonly address: string;
  readonly user: string | null;
  readonly command: string;
  readonly source: string;
  readonly destination: string;
}

interface Answer {
  readonly header: Readonly<Record<string, string | number>>;
  readonly body: Buffer;
}

/** Longest header: Ansible's commands are a few kilobytes. */
const MOST_HEADER = 8 * 1024 * 1024;

/**
 * Runs `$1` and writes its output in base64, as one line: a machine keeps no more than a part of what is no line, and
 * Ansible reads back every byte. Descriptor 3 takes the exit code past the pipe, 4 is the output itself.
 */
const WRAPPED =
  'exec 4>&1; code=$({ { /bin/sh -c "$1" 3>&- 4>&-; echo $? >&3; } | base64 -w 0 >&4; } 3>&1); exit "$code"';

/**
 * Listens on `path`, a socket in a folder that only this user can enter. `user`: whom the machine acts as by itself.
 * Requests are answered one after the other: a machine is one host.
 */
export async function openBridge(
  path: string,
  machine: Machine,
  user: string,
  onEvent: (event: AnsibleEvent) => void,
  ctx: Context,
): Promise<Bridge> {
  const open = new Set<Socket>();
  const host = new Host(machine, user, ctx);
  const server = createServer({ allowHalfOpen: false }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy()); // Ansible has gone: nobody waits for the answer
    serve(socket, host, onEvent);
  });
  await listen(server, path);
  return {
    async settled() {
      while (open.size > 0) {
        await Promise.all([...open].map((socket) => new Promise((done) => socket.once('close', done))));
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((done) => server.close(done));
      await host.idle();
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Gathers a request and answers it; a connection that tells events stays open. */
function serve(socket: Socket, host: Host, onEvent: (event: AnsibleEvent) => void): void {
  let received = Buffer.alloc(0);
  const onHeader = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk]);
    const end = received.indexOf(0x0a);
    if (end < 0 && received.length < MOST_HEADER) return;
    socket.off('data', onHeader);
    const header = readHeader(received.subarray(0, Math.max(end, 0)));
    const rest = received.subarray(end + 1);
    if (!header) socket.destroy();
    else if (header.op === 'events') tellEvents(socket, rest, onEvent);
    else answerRequest(socket, header, rest, host);
  };
  socket.on('data', onHeader);
}

function readHeader(line: Buffer): Request | undefined {
  try {
    return JSON.parse(line.toString('utf8')) as Request;
  } catch {
    return undefined;
  }
}

/** The lines are ASCII, as Python's json writes them: no chunk ends within a character. */
function tellEvents(socket: Socket, first: Buffer, onEvent: (event: AnsibleEvent) => void): void {
  let text = '';
  const take = (chunk: Buffer): void => {
    const lines = (text + chunk.toString('latin1')).split('\n');
    text = lines.pop() as string;
    for (const line of lines) {
      const event = readEvent(line);
      if (event) onEvent(event);
    }
  };
  take(first);
  socket.on('data', take);
}

function answerRequest(socket: Socket, header: Request, first: Buffer, host: Host): void {
  const body = [first];
  let length = first.length;
  const gone = new AbortController();
  socket.once('close', () => gone.abort(new Error('Ansible has gone')));
  const whenWhole = (): void => {
    if (length < header.bytes) return;
    socket.off('data', more);
    void host.answer(header, Buffer.concat(body), gone.signal).then((answer) => {
      socket.write(`${JSON.stringify(answer.header)}\n`);
      socket.end(answer.body);
    });
  };
  const more = (chunk: Buffer): void => {
    body.push(chunk);
    length += chunk.length;
    whenWhole();
  };
  socket.on('data', more);
  whenWhole();
}

/** The machine, as the one host that Ansible sees. */
class Host {
  readonly #machine: Machine;
  readonly #user: string;
  readonly #ctx: Context;
  #address: string | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(machine: Machine, user: string, ctx: Context) {
    this.#machine = machine;
    this.#user = user;
    this.#ctx = ctx;
  }

  /** Never rejects: what goes wrong is the answer. */
  async answer(request: Request, body: Buffer, gone: AbortSignal): Promise<Answer> {
    const before = this.#last;
    const own = (async (): Promise<Answer> => {
      await before;
      try {
        return await this.#act(request, body, AbortSignal.any([this.#ctx.signal, gone]));
      } catch (error) {
        return { header: { error: asIngotError(error).message }, body: Buffer.alloc(0) };
      }
    })();
    this.#last = own;
    return await own;
  }

  async idle(): Promise<void> {
    await this.#last;
  }

  async #act(request: Request, body: Buffer, signal: AbortSignal): Promise<Answer> {
    this.#address ??= request.address;
    if (request.address !== this.#address) {
      throw new Error(
        `the build has one machine, which is ${this.#address} here, and ${request.address} was asked for: ` +
          'choose one host by --limit, and give other hosts an ansible_connection of their own',
      );
    }
    const { communicator } = this.#machine;
    const user = request.user === null || request.user === this.#user ? undefined : request.user;
    const nothing = { header: {}, body: Buffer.alloc(0) };
    switch (request.op) {
      case 'exec':
        return await this.#exec(request.command, body, user, signal);
      case 'put':
        if (user === undefined) await communicator.upload(request.source, request.destination);
        else await this.#putAs(user, request, signal);
        return nothing;
      case 'fetch':
        await communicator.download(request.source, request.destination);
        return nothing;
      default:
        throw new Error(`no such request: ${String(request.op)}`);
    }
  }

  async #exec(
    command: string,
    input: Buffer,
    user: string | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const pieces: string[] = [];
    const { exitCode, stderr } = await this.#machine.communicator.exec(
      ['/bin/sh', '-c', WRAPPED, 'sh', command],
      {
        input,
        signal,
        ...(user !== undefined && { user }),
        onLine: (stream, line) => void (stream === 'stdout' && pieces.push(line)),
      },
    );
    const stdout = Buffer.from(pieces.join(''), 'base64');
    return {
      header: { code: exitCode, stdout: stdout.length },
      body: Buffer.concat([stdout, Buffer.from(stderr)]),
    };
  }

  /** A file that belongs to another user than the machine's own is written by that user. */
  async #putAs(user: string, { source, destination }: Request, signal: AbortSignal): Promise<void> {
    const result: ExecResult = await this.#machine.communicator.exec(
      ['/bin/sh', '-c', 'cat > "$1"', 'sh', destination],
      { user, signal, input: await readFile(source) },
    );
    if (result.exitCode !== 0)
      throw new Error(`${destination} could not be written: ${result.stderr.trim()}`);
  }
}
