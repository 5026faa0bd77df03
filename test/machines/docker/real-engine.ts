import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DockerEngine } from '../../../src/machines/docker/engine.ts';
import { archiveOf, type Member } from '../../disk/oci/archives.ts';

/** Where Debian's package docker.io has its daemon. */
const PROGRAM = '/usr/sbin/dockerd';
export const haveDocker = existsSync(PROGRAM);

/** A Docker engine of the test's own: its folders, its socket, no network. */
export class RealEngine {
  readonly dir = mkdtempSync(join(tmpdir(), 'ingot-dockerd-'));
  readonly env = { DOCKER_HOST: `unix://${join(this.dir, 'docker.sock')}` };
  readonly engine = new DockerEngine(this.env);
  readonly #process: ChildProcess;

  private constructor() {
    const at = (name: string): string => join(this.dir, name);
    const args = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')];
    const network = ['--bridge=none', '--iptables=false', '--ip6tables=false'];
    this.#process = spawn(PROGRAM, [...args, '--host', this.env.DOCKER_HOST, ...network], {
      stdio: 'ignore',
      // Not the test's own environment: it lives longer than one test, on purpose.
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
  }

  static async start(): Promise<RealEngine> {
    const real = new RealEngine();
    for (let i = 0; i < 300; i++) {
      const up = await real.engine.request('/_ping').then(
        (response) => response.resume() !== undefined,
        () => false,
      );
      if (up) return real;
      await new Promise((done) => setTimeout(done, 100));
    }
    await real.stop();
    throw new Error('dockerd did not come up');
  }

  /** Makes an image of one layer, and answers its id. */
  async import(members: readonly Member[], repo: string): Promise<string> {
    return await this.importTar(Readable.from([archiveOf(members)]), repo);
  }

  async importTar(body: Readable, repo: string): Promise<string> {
    const query = { fromSrc: '-', repo };
    let id = '';
    const request = { method: 'POST' as const, query, body };
    await this.engine.follow('/images/create', request, (line) => (id = line.status ?? id));
    return id;
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.#process.once('exit', done));
    this.#process.kill('SIGTERM');
    await ended;
    // Its containerd is a process of its own.
    const pid = join(this.dir, 'exec/containerd/containerd.pid');
    if (existsSync(pid)) {
      try {
        process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL');
      } catch {
        // ended with it
      }
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}
