import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** A socket that answers as scripted and remembers what it was asked: for what a real engine would not let us see. */
export class FakeEngine implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'ingot-fake-engine-'));
  readonly asked: Asked[] = [];
  readonly #server: Server;
  readonly #before = process.env.DOCKER_HOST;

  private constructor(answer: (asked: Asked) => { status?: number; text?: string }) {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { pathname, searchParams } = new URL(request.url ?? '/', 'http://docker');
        const asked = {
          method: request.method ?? '',
          path: pathname,
          query: searchParams,
          headers: request.headers,
          body: Buffer.concat(parts).toString('latin1'),
        };
        this.asked.push(asked);
        const { status = 200, text = '' } = answer(asked);
        response.writeHead(status).end(text);
      });
    });
  }

  /** Listens, and stands in `DOCKER_HOST` until disposed. */
  static async start(answer: (asked: Asked) => { status?: number; text?: string } = () => ({})) {
    const engine = new FakeEngine(answer);
    const path = join(engine.dir, 'docker.sock');
    await new Promise<void>((done) => engine.#server.listen(path, done));
    process.env.DOCKER_HOST = `unix://${path}`;
    return engine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = this.#before;
    await new Promise((done) => this.#server.close(done));
    rmSync(this.dir, { recursive: true });
  }
}
