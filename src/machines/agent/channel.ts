import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { IngotError } from '../../core/error.ts';
import type { Communicator, ExecOptions, ExecResult } from '../../core/machine.ts';
import { quoteWord } from '../../core/shell-words.ts';
import { containerEnvironment } from '../container/nspawn.ts';
import { MARK, MAX_ANSWER } from './guest.ts';

/** No answer is longer: both streams in base64. Whoever sends more without a line end is cut off. */
const MAX_LINE = Math.ceil((2 * MAX_ANSWER * 4) / 3) + 4096;

/** Runs commands by the agent of guest.ts at the other end of a serial port. */
export class AgentChannel implements Pick<Communicator, 'exec'> {
  readonly #socket: Socket;
  readonly #epoch: number;
  readonly #waiting = new Map<
    string,
    { readonly resolve: (result: ExecResult) => void; readonly reject: (error: Error) => void }
  >();
  readonly #decoder = new StringDecoder('latin1');
  #line: string[] = [];
  #length = 0;
  #count = 0;
  #onReady: () => void = () => {};
  /** Resolves when the agent has said that it listens. */
  readonly ready: Promise<void>;

  constructor(socket: Socket, epoch: number) {
    this.#socket = socket;
    this.#epoch = epoch;
    this.ready = new Promise((resolve) => {
      this.#onReady = resolve;
    });
    socket.on('data', (data: Buffer) => this.#take(this.#decoder.write(data)));
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(closed());
      this.#waiting.clear();
    });
  }

  async exec(argv: readonly string[], o: ExecOptions = {}): Promise<ExecResult> {
    o.signal?.throwIfAborted();
    if (this.#socket.destroyed) throw closed();
    const id = String(this.#count++);
    const script = Buffer.from(this.#scriptOf(argv, o)).toString('base64');
    let onAbort = (): void => {};
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        onAbort = () => reject(o.signal?.reason as Error);
        o.signal?.addEventListener('abort', onAbort, { once: true });
        this.#socket.write(`${id} ${script}\n`);
      });
    } finally {
      this.#waiting.delete(id);
      o.signal?.removeEventListener('abort', onAbort);
    }
  }

  #scriptOf(argv: readonly string[], { cwd = '/', env }: ExecOptions): string {
    const variables = Object.entries(containerEnvironment(this.#epoch, env)).map(([n, v]) =>
      quoteWord(`${n}=${v}`),
    );
    return `cd ${quoteWord(cwd)} && exec env -i ${variables.join(' ')} ${argv.map(quoteWord).join(' ')}\n`;
  }

  #take(text: string): void {
    const [head = '', ...more] = text.split('\n');
    this.#line.push(head);
    this.#length += head.length;
    for (const next of more) {
      this.#answer(this.#line.join(''));
      this.#line = [next];
      this.#length = next.length;
    }
    if (this.#length > MAX_LINE) this.#socket.destroy();
  }

  #answer(line: string): void {
    const [mark, id = '', code = '', stdout = '', stderr = ''] = line.trimEnd().split(' ');
    if (mark !== MARK) return;
    if (id === 'ready') this.#onReady();
    this.#waiting.get(id)?.resolve({
      exitCode: Number(code),
      stdout: Buffer.from(stdout, 'base64').toString(),
      stderr: Buffer.from(stderr, 'base64').toString(),
    });
  }
}

function closed(): IngotError {
  return new IngotError('machine/disconnected', 'the machine went down while a command ran', {
    hint: 'Did a check or a service of the image restart it?',
  });
}
