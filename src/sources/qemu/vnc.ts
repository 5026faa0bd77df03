import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { IngotError } from '../../core/error.ts';
import { connectUnix } from '../../host/qemu-qmp.ts';
import type { KeyAction } from './boot-command.ts';

/** Characters that a US keyboard has on the shifted side of a key. */
const SHIFTED = new Set(
  Array.from('~!@#$%^&*()_+{}|:"<>?ABCDEFGHIJKLMNOPQRSTUVWXYZ', (c) => c.charCodeAt(0)),
);
const SHIFT = 0xffe1;

/** The keyboard of a machine, over VNC (RFC 6143). */
export class VncKeyboard implements AsyncDisposable {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects to a VNC server at a unix socket that asks for no password. Throws `qemu/no-keyboard`. */
  static async connect(path: string): Promise<VncKeyboard> {
    const socket = await connectUnix(path);
    try {
      const reader = new Reader(socket);
      const version = (await reader.read(12)).toString('latin1');
      if (!version.startsWith('RFB 003.')) throw new Error(`it speaks ${JSON.stringify(version)}`);
      socket.write('RFB 003.008\n');
      const [count] = await reader.read(1);
      const types = await reader.read(count as number);
      if (!types.includes(1)) throw new Error('it wants a password');
      socket.write(Uint8Array.of(1));
      if ((await reader.read(4)).readUInt32BE(0) !== 0) throw new Error('it refused the connection');
      socket.write(Uint8Array.of(1));
      const init = await reader.read(24);
      await reader.read(Math.min(init.readUInt32BE(20), 1024));
      // What the screen shows is not asked for; what comes all the same is nobody's.
      reader.release();
      socket.resume();
      return new VncKeyboard(socket);
    } catch (cause) {
      socket.destroy();
      throw new IngotError(
        'qemu/no-keyboard',
        `the machine's keyboard cannot be reached: ${(cause as Error).message}`,
        {
          cause,
        },
      );
    }
  }

  /** Does what a boot command says; `intervalMs` between two keys. */
  async type(actions: readonly KeyAction[], intervalMs: number, signal: AbortSignal): Promise<void> {
    for (const action of actions) {
      if (action.kind === 'wait') {
        await delay(action.ms, undefined, { signal });
        continue;
      }
      const { keysym, press } = action;
      const shift = press === 'tap' && SHIFTED.has(keysym);
      if (shift) this.#send(SHIFT, true);
      if (press !== 'up') this.#send(keysym, true);
      if (press === 'tap') await delay(Math.min(intervalMs, 50), undefined, { signal });
      if (press !== 'down') this.#send(keysym, false);
      if (shift) this.#send(SHIFT, false);
      await delay(intervalMs, undefined, { signal });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }

  /** KeyEvent, section 7.5.4. */
  #send(keysym: number, down: boolean): void {
    const message = Buffer.alloc(8);
    message[0] = 4;
    message[1] = down ? 1 : 0;
    message.writeUInt32BE(keysym, 4);
    this.#socket.write(message);
  }
}

/** Reads exact numbers of bytes from a socket. */
class Reader {
  readonly #socket: Socket;
  readonly #onEnd = (): void => {
    this.#ended = true;
  };
  #ended = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('close', this.#onEnd);
    socket.on('error', this.#onEnd);
  }

  async read(count: number): Promise<Buffer> {
    if (count === 0) return Buffer.alloc(0);
    for (;;) {
      const chunk = this.#socket.read(count) as Buffer | null;
      if (chunk?.length === count) return chunk;
      if (this.#ended || this.#socket.readableEnded) throw new Error('it closed the connection');
      await Promise.race([once(this.#socket, 'readable'), once(this.#socket, 'close')]);
    }
  }

  release(): void {
    this.#socket.removeAllListeners('readable');
    this.#socket.off('close', this.#onEnd);
  }
}
