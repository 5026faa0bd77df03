import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server, which is shut at first: who comes is let in, and hears nothing until it is open. */
export class Door {
  isOpen = false;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => {
    this.#keep(socket);
    if (!this.isOpen) return;
    const { hostname, port } = this.#target;
    const onward = this.#keep(connect(Number(port), hostname));
    socket.pipe(onward).pipe(socket);
  });
  readonly #target: URL;

  constructor(target: string) {
    this.#target = new URL(target);
  }

  /** Answers the port of loopback; 0 asks for any. */
  async listen(port: number, isOpen: boolean): Promise<number> {
    this.isOpen = isOpen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    return socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
  }
}
