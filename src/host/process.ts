import { type ChildProcess, spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { IngotError } from '../core/error.ts';
import type { RunOptions, RunResult } from '../core/host.ts';
import { findTool, missingTool, SYSTEM_PATH } from './tools.ts';

const MAX_BYTES = 10 * 1024 * 1024;
/** Longer lines are handed on in pieces: a progress bar without line ends must not fill the memory. */
const MAX_LINE = 64 * 1024;
/** Lines of output that an error shows. */
const TAIL = 20;
const KILL_AFTER_MS = 5000;

export interface Running {
  readonly pid: number;
  readonly ended: Promise<RunResult>;
  /** Ends the whole group: politely, then by force. */
  stop(): Promise<void>;
}

/**
 * Starts a command in a process group of its own with a clean environment. `setpriv --pdeathsig` makes the
 * kernel end it when we are killed, so that nothing outlives us.
 */
export function launch(command: string, args: readonly string[], options: RunOptions): Running {
  options.signal?.throwIfAborted();
  const child = spawn(findTool('setpriv'), ['--pdeathsig', 'KILL', '--', findTool(command), ...args], {
    cwd: options.cwd,
    env: cleanEnvironment(options.env),
    detached: true,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const ended = collect(child, command, options);
  // Whoever does not look at the result must not die of it.
  ended.catch(() => {});
  const stop = async (): Promise<void> => {
    killGroup(child, 'SIGTERM');
    const force = setTimeout(() => killGroup(child, 'SIGKILL'), KILL_AFTER_MS);
    await ended.catch(() => {});
    clearTimeout(force);
    // Children that ignored the polite signal and outlived the leader.
    killGroup(child, 'SIGKILL');
  };
  return { pid: child.pid ?? -1, ended, stop };
}

function cleanEnvironment(extra: RunOptions['env']): NodeJS.ProcessEnv {
  const owner = process.env.INGOT_TEST_OWNER;
  return {
    PATH: SYSTEM_PATH,
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    HOME: '/root',
    ...(owner !== undefined && { INGOT_TEST_OWNER: owner }),
    ...extra,
  };
}

async function collect(child: ChildProcess, command: string, options: RunOptions): Promise<RunResult> {
  const maxBytes = options.maxBytes ?? MAX_BYTES;
  const out = new Collector(maxBytes, options.onLine && ((line) => options.onLine?.('stdout', line)));
  const err = new Collector(maxBytes, options.onLine && ((line) => options.onLine?.('stderr', line)));
  child.stdout?.on('data', (data: Buffer) => out.take(data));
  child.stderr?.on('data', (data: Buffer) => err.take(data));
  feed(child, options.input);

  let reason: 'timeout' | 'abort' | undefined;
  const end = (why: 'timeout' | 'abort') => (): void => {
    reason ??= why;
    killGroup(child, 'SIGTERM');
    setTimeout(() => killGroup(child, 'SIGKILL'), KILL_AFTER_MS).unref();
  };
  const onAbort = end('abort');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(end('timeout'), options.timeoutMs);
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          error.code === 'ENOENT'
            ? missingTool(command)
            : new IngotError('host/cannot-run', `${command} could not be started: ${error.message}`, {
                cause: error,
              }),
        ),
      );
      child.once('close', (c, s) => resolve([c, s]));
    });
    out.end();
    err.end();
    if (reason === 'abort') options.signal?.throwIfAborted();
    const result: RunResult = {
      exitCode: code ?? 128,
      ...(signal !== null && { signal }),
      stdout: out.text,
      stderr: err.text,
    };
    check(result, reason, command, options, out.overflowed);
    return result;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  }
}

function check(
  result: RunResult,
  reason: string | undefined,
  command: string,
  options: RunOptions,
  overflowed: boolean,
): void {
  const output = `${result.stdout}\n${result.stderr}`
    .split('\n')
    .filter((l) => l.trim() !== '')
    .slice(-TAIL);
  if (reason === 'timeout') {
    throw new IngotError('host/timeout', `${command} did not end within ${options.timeoutMs} ms`, { output });
  }
  const { okCodes = [0] } = options;
  if (okCodes !== 'any' && (result.signal !== undefined || !okCodes.includes(result.exitCode))) {
    const how = result.signal === undefined ? `exit code ${result.exitCode}` : `signal ${result.signal}`;
    throw new IngotError(
      'host/command-failed',
      `${command} ended with ${how}; expected ${okCodes.join(' or ')}`,
      { output },
    );
  }
  if (overflowed && !options.onLine) {
    throw new IngotError(
      'host/too-much-output',
      `${command} wrote more than ${options.maxBytes ?? MAX_BYTES} bytes`,
      { output },
    );
  }
}

function feed(child: ChildProcess, input: RunOptions['input']): void {
  const { stdin } = child;
  if (!stdin || input === undefined) return;
  // The command may end without reading all of it (EPIPE); its exit code tells whether that was right.
  stdin.on('error', () => {});
  if (input instanceof Readable) input.pipe(stdin);
  else stdin.end(input);
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Gathers one stream's text, up to a limit, and hands on its lines. */
class Collector {
  readonly #decoder = new StringDecoder('utf8');
  readonly #max: number;
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #chunks: string[] = [];
  #kept = 0;
  #line = '';
  overflowed = false;

  constructor(max: number, onLine: ((line: string) => void) | undefined) {
    this.#max = max;
    this.#onLine = onLine;
  }

  take(data: Buffer): void {
    this.#add(this.#decoder.write(data));
  }

  end(): void {
    this.#add(this.#decoder.end());
    if (this.#line !== '') this.#onLine?.(this.#line);
    this.#line = '';
  }

  get text(): string {
    return this.#chunks.join('');
  }

  #add(text: string): void {
    if (this.#kept < this.#max) {
      this.#chunks.push(text);
      this.#kept += text.length;
    } else if (text !== '') {
      this.overflowed = true;
    }
    if (!this.#onLine) return;
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    if (this.#line.length > MAX_LINE) {
      this.#onLine(this.#line);
      this.#line = '';
    }
  }
}
