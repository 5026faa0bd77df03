/** Ctrl-A: the key that QEMU's own console uses. */
const ESCAPE = 0x01;

export interface ConsoleInput {
  /** Bytes for the guest. */
  readonly data: Buffer;
  /** Ctrl-A x was typed. */
  readonly quit: boolean;
}

/**
 * Reads what is typed on an interactive console: Ctrl-A x ends the machine, Ctrl-A Ctrl-A is a Ctrl-A for the
 * guest, all else goes through. Remembers a Ctrl-A between two chunks.
 */
export class ConsoleKeys {
  #escaped = false;

  take(chunk: Uint8Array): ConsoleInput {
    const data: number[] = [];
    for (const byte of chunk) {
      if (!this.#escaped) {
        if (byte === ESCAPE) this.#escaped = true;
        else data.push(byte);
        continue;
      }
      this.#escaped = false;
      if (byte === 0x78 /* x */) return { data: Buffer.from(data), quit: true };
      data.push(...(byte === ESCAPE ? [ESCAPE] : [ESCAPE, byte]));
    }
    return { data: Buffer.from(data), quit: false };
  }
}
