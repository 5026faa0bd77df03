import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../scripts/free-port.mjs';

/** Where Debian's package docker-registry has its program. */
const PROGRAM = '/usr/bin/docker-registry';
export const haveRegistry = existsSync(PROGRAM);

/** A real registry (github.com/distribution/distribution) on loopback, in a folder of its own. */
export class RealRegistry {
  readonly dir = mkdtempSync(join(tmpdir(), 'ingot-registry-'));
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(port: number, login?: { user: string; password: string }) {
    this.port = port;
    const auth = login ? `auth: { htpasswd: { realm: test, path: ${join(this.dir, 'htpasswd')} } }\n` : '';
    if (login) writeFileSync(join(this.dir, 'htpasswd'), htpasswd(login.user, login.password));
    mkdirSync(join(this.dir, 'data'));
    const config = `version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: ${join(this.dir, 'data')} }, delete: { enabled: true } }
http: { addr: "127.0.0.1:${port}" }
${auth}`;
    writeFileSync(join(this.dir, 'config.yml'), config);
    this.#process = spawn(PROGRAM, ['serve', join(this.dir, 'config.yml')], {
      stdio: 'ignore',
      // Not the test's own environment: it lives longer than one test, on purpose.
      env: { PATH: '/usr/bin:/bin' },
    });
  }

  static async start(login?: { user: string; password: string }): Promise<RealRegistry> {
    const registry = new RealRegistry(await freePort(), login);
    for (let i = 0; i < 100; i++) {
      const up = await fetch(`http://${registry.host}/v2/`).then(
        () => true,
        () => false,
      );
      if (up) return registry;
      await new Promise((done) => setTimeout(done, 50));
    }
    await registry.stop();
    throw new Error('the registry did not come up');
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Where the registry keeps the bytes of a blob. */
  blobPath(hex: string): string {
    return join(this.dir, 'data/docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.#process.once('exit', done));
    this.#process.kill('SIGKILL');
    await ended;
    rmSync(this.dir, { recursive: true });
  }
}

/** A line of an htpasswd file; the registry takes bcrypt only. */
function htpasswd(user: string, password: string): string {
  const script =
    'import crypt,sys; print(sys.argv[1]+":"+crypt.crypt(sys.argv[2], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))';
  return execFileSync('python3', ['-W', 'ignore', '-c', script, user, password], { encoding: 'utf8' });
}
