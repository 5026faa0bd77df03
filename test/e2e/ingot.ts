import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { BuildReport } from '../../src/app/build.ts';
import { leaveDownloads, takeDownloads } from './shared-downloads.ts';

const BIN = resolve(import.meta.dirname, '../../bin/ingot');
const EXAMPLE = resolve(import.meta.dirname, '../../examples/web');

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A user's project in a folder of its own, with caches of its own and a git history with a tag. */
export class Workspace {
  readonly root = mkdtempSync(join(tmpdir(), 'ingot-e2e-'));
  readonly project = join(this.root, 'project');
  readonly env: NodeJS.ProcessEnv;
  /** Put in front of every command. */
  readonly prefix: readonly string[];
  #shares = false;

  constructor(env: NodeJS.ProcessEnv = {}, prefix: readonly string[] = []) {
    this.prefix = prefix;
    cpSync(EXAMPLE, this.project, {
      recursive: true,
      filter: (path) => !/(output-web|ingot\.lock\.json|manifest\.json)$/.test(path),
    });
    this.env = {
      ...process.env,
      INGOT_CACHE_DIR: join(this.root, 'cache'),
      INGOT_DATA_DIR: join(this.root, 'data'),
      NO_COLOR: '1',
      ...env,
    };
  }

  /** With the packages that other files of this run have fetched, and fetched for them; for tests of what comes after that. */
  static withDownloads(): Workspace {
    const ws = new Workspace();
    ws.#shares = true;
    takeDownloads(ws.env.INGOT_CACHE_DIR as string);
    return ws;
  }

  /** Commits everything and tags it. */
  commit(tag: string): void {
    const git = (...args: string[]) =>
      execFileSync(
        'git',
        ['-C', this.project, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args],
        {
          env: {
            ...process.env,
            GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
            GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
          },
        },
      );
    if (!existsSync(join(this.project, '.git'))) {
      git('init', '-q');
      execFileSync('sh', ['-c', 'printf "output-*\\ningot.lock.json\\nmanifest.json\\n" > .gitignore'], {
        cwd: this.project,
      });
    }
    git('add', '-A');
    git('commit', '-q', '-m', tag);
    git('tag', tag);
  }

  start(...args: string[]): ChildProcess {
    return this.startBy([...this.prefix, process.execPath], args);
  }

  /** Starts `ingot` by another program, such as setpriv or unshare; `by` ends with what runs a script of Node. */
  startBy(by: readonly string[], args: readonly string[]): ChildProcess {
    return spawn(by[0] as string, [...by.slice(1), BIN, ...args], {
      env: this.env,
      cwd: this.project,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Starts `ingot` in a terminal of its own; its standard input is what the user types. */
  startInTerminal(...args: string[]): ChildProcess {
    const command = [process.execPath, BIN, ...args].map((word) => `'${word}'`).join(' ');
    return spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
      env: { ...this.env, TERM: 'xterm' },
      cwd: this.project,
      detached: true,
      stdio: 'pipe',
    });
  }

  async run(...args: string[]): Promise<Finished> {
    return await finished(this.start(...args));
  }

  async runBy(by: readonly string[], ...args: string[]): Promise<Finished> {
    return await finished(this.startBy([...by, process.execPath], args));
  }

  /** `ingot build --json`; throws with what it said when it fails. */
  async build(...args: string[]): Promise<BuildReport> {
    const { exitCode, stdout, stderr } = await this.run('build', '--json', ...args, '.');
    if (exitCode !== 0) throw new Error(`ingot build ended with ${exitCode}\n${stderr.slice(-4000)}`);
    if (this.#shares) leaveDownloads(this.env.INGOT_CACHE_DIR as string);
    return JSON.parse(stdout) as BuildReport;
  }

  /** What a killed build could leave: mounts, leases, staging folders, half-written files, processes of ours. */
  residue(): string[] {
    const cache = this.env.INGOT_CACHE_DIR as string;
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      // A test may have put the cache itself on a disk of its own.
      .filter((line) => line.includes(this.root) && line.split(' ')[1] !== cache);
    const list = (dir: string): string[] =>
      existsSync(dir) ? readdirSync(dir).map((n) => join(dir, n)) : [];
    const processes = readdirSync('/proc')
      .filter((n) => /^\d+$/.test(n))
      .flatMap((pid) => {
        try {
          const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
          return command.includes(this.root) ? [`${pid}: ${command}`] : [];
        } catch {
          return [];
        }
      });
    return [
      ...mounts,
      ...['leases', 'tmp', 'layer-leases', 'apt/partial'].flatMap((name) => list(join(cache, name))),
      // Not by readdir, which in Node 20 follows links out of an image to the host's own folders.
      ...execFileSync('find', [this.root, '-xdev', '-name', '*.part'], { encoding: 'utf8' })
        .split('\n')
        .filter(Boolean),
      ...processes,
    ];
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  path(...parts: string[]): string {
    return join(this.project, ...parts);
  }

  mkdir(...parts: string[]): void {
    mkdirSync(this.path(...parts), { recursive: true });
  }
}

/** Waits for the end of a process. */
export async function finished(child: ChildProcess): Promise<Finished> {
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const exitCode = await new Promise<number>((done) => child.once('close', (code) => done(code ?? 128)));
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}
