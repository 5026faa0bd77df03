import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { AgentMachine } from '../../src/firstboot/agent/machine.ts';
import { type FirstBootConfig, NO_FIRST_BOOT } from '../../src/firstboot/config.ts';

/** A folder that stands for the machine on which the agent runs. */
export class TestMachine implements AgentMachine {
  readonly root = mkdtempSync(join(tmpdir(), 'ingot-agent-'));
  readonly said: string[] = [];
  readonly noted: string[] = [];
  readonly hidden: string[] = [];
  readonly ran: string[][] = [];
  readonly config: FirstBootConfig;
  readonly env = {};
  readonly stop = new AbortController();
  readonly signal = this.stop.signal;
  readonly pauses = { first: 5, longest: 20 };
  seconds = 10;
  readonly startedAt = 8;
  /** What a command ends with; default: it is really run. */
  answer: ((argv: readonly string[], input?: string) => number | undefined) | undefined;

  constructor(config: Partial<FirstBootConfig> = {}) {
    this.config = { ...NO_FIRST_BOOT, ...config };
    const { uid, gid } = userInfo();
    this.write('/etc/passwd', `root:x:${uid}:${gid}::/:/bin/sh\napp:x:${uid}:${gid}::/:/bin/sh\n`);
    this.write('/etc/group', `root:x:${gid}:\napp:x:${gid}:\n`);
  }

  readonly place = (path: string): string => join(this.root, path);
  readonly now = (): Date => new Date('2026-01-02T03:04:05Z');
  readonly uptime = (): number => this.seconds;
  readonly say = (line: string): void => void this.said.push(line);
  readonly note = (line: string): void => void this.noted.push(line);
  readonly hide = (secret: string): void => void this.hidden.push(secret);
  readonly masked = (text: string): string =>
    this.hidden
      .filter(({ length }) => length >= 3)
      .reduce((masked, secret) => masked.replaceAll(secret, '<sensitive>'), text);

  readonly run: AgentMachine['run'] = async (argv, { env = {}, input } = {}) => {
    this.ran.push([...argv, ...(input === undefined ? [] : [input])]);
    const answered = this.answer?.(argv, input);
    if (answered !== undefined) return { exitCode: answered, output: '' };
    const [command = '', ...args] = argv;
    if (command === 'sync') return { exitCode: 0, output: '' };
    return await new Promise((resolve) => {
      const options = { env: { PATH: process.env.PATH, ...env }, cwd: this.root };
      execFile(command, args, options, (error, stdout, stderr) =>
        resolve({ exitCode: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
      );
    });
  };

  write(path: string, content: string, mode = 0o644): void {
    mkdirSync(dirname(this.place(path)), { recursive: true });
    writeFileSync(this.place(path), content, { mode });
  }

  read(path: string): string {
    return readFileSync(this.place(path), 'utf8');
  }

  mode(path: string): number {
    return statSync(this.place(path)).mode & 0o7777;
  }

  list(path: string): string[] {
    return readdirSync(this.place(path)).sort();
  }

  [Symbol.dispose](): void {
    this.stop.abort();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A file to make from the template at /t/NAME. */
export function file(path: string, template: string, more: { owner?: string; mode?: number } = {}) {
  return { path, template: `/t/${template}`, owner: 'root', group: undefined, mode: 0o600, ...more };
}

/** An HTTP server whose answers the test gives; it is no Vault. */
export async function answering(
  answer: (request: IncomingMessage & { text: string }, response: ServerResponse) => void,
): Promise<AsyncDisposable & { readonly url: string; readonly port: number }> {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => void (text += part.toString()));
    request.on('end', () => answer(Object.assign(request, { text }), response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
