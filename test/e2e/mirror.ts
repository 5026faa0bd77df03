import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { wantedSuites } from '../../src/sources/mmdebstrap/archives.ts';
import { readHostSources } from '../../src/sources/mmdebstrap/host-sources.ts';

/** A Debian mirror on this machine that passes on what the host's own mirrors have, as long as it is well. */
export class Mirror {
  readonly #server: Server;
  /** Another text for an InRelease. */
  alter: ((inRelease: string) => string) | undefined;
  /** Asked with each path: true ends the mirror for good, this answer half-way. */
  dies: (path: string) => boolean = () => false;
  /** Asked with each path: true leaves this answer half-way, for as long as the mirror lives. */
  stalls: (path: string) => boolean = () => false;

  private constructor() {
    const place = { suite: 'bookworm', components: ['main'], mirrors: undefined, snapshot: undefined };
    const suites = wantedSuites({ ...place, hostSources: readHostSources });
    const upstream = { debian: suites[0]?.bases[0], 'debian-security': suites.at(-1)?.bases[0] };
    this.#server = createServer(async (request, response) => {
      const path = request.url ?? '';
      const [, archive, rest] = /^\/(debian|debian-security)\/(.*)$/.exec(path) ?? [];
      if (archive === undefined) return response.writeHead(404).end();
      const answer = await fetch(`${upstream[archive as 'debian']}/${rest}`);
      const dies = this.dies(path);
      if (dies || this.stalls(path)) {
        response.writeHead(200, { 'content-length': 1_000_000 });
        response.write(Buffer.alloc(1000), () => dies && this.#stop());
        return;
      }
      if (rest?.endsWith('InRelease') && this.alter) {
        return response.writeHead(200).end(this.alter(await answer.text()));
      }
      response.writeHead(answer.status);
      if (answer.body) Readable.fromWeb(answer.body as never).pipe(response);
      else response.end();
    });
  }

  static async start(): Promise<Mirror> {
    const mirror = new Mirror();
    await new Promise<void>((resolve) => mirror.#server.listen(0, '127.0.0.1', resolve));
    return mirror;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/debian`;
  }

  #stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  [Symbol.dispose](): void {
    if (this.#server.listening) this.#stop();
  }
}
