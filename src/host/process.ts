import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { IngotError } from '../core/error.ts';
import type { RunOptions, RunResult } from '../core/host.ts';
import { timerMs } from '../core/timer-ms.ts';
import { findTool, SYSTEM_PATH } from './tools.ts';

const MAX_BYTES = 10 * 1024 * 1024;
/** Longer lines are handed on in pieces: a progress bar without line ends must not fill the memory. */
const MAX_LINE = 64 * 1024;
/** Lines of output that an error shows. */
const TAIL = 20;
const KILL_AFTER_MS = 5000;
/** A command is over when it has ended, even if a daemon that it started still holds its output open. */
const DRAIN_MS = 200;

/** Runs `$2…` unless the parent `$1` has died before the kernel was told to end us with it. */
const GUARD = '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"';

export interface Running {
  /** Absent where it could not be started; `ended` then says why. */
  readonly pid: number | undefined;
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
  const guard = ['/bin/sh', '-c', GUARD, 'sh', String(process.pid)];
  const whole = ['--pdeathsig', 'KILL', '--', ...guard, findTool(command), ...args];
  requireFolder(command, options.cwd);
  const child = spawn(findTool('setpriv'), whole, {
    cwd: options.cwd,
    env: cleanEnvironment(options.env),
    detached: true,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...(options.inherit ?? [])],
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
  return { pid: child.pid, ended, stop };
}

/** Node reports a missing working folder as a missing command. */
function requireFolder(command: string, cwd: string | undefined): void {
  if (cwd === undefined || statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new IngotError('host/cannot-run', `${command} was to run in ${cwd}, which is no folder`);
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
  const { onBytes } = options;
  const out = new Collector(
    onBytes ? 0 : maxBytes,
    onBytes ? undefined : options.onLine && ((line) => options.onLine?.('stdout', line)),
  );
  const err = new Collector(maxBytes, options.onLine && ((line) => options.onLine?.('stderr', line)));
  child.stdout?.on('data', (data: Buffer) => {
    out.take(data);
    onBytes?.(data);
  });
  child.stderr?.on('data', (data: Buffer) => err.take(data));

  let reason: 'timeout' | 'abort' | undefined;
  let force: NodeJS.Timeout | undefined;
  const end = (why: 'timeout' | 'abort') => (): void => {
    reason ??= why;
    killGroup(child, 'SIGTERM');
    force ??= setTimeout(() => killGroup(child, 'SIGKILL'), KILL_AFTER_MS);
  };
  let inputError: Error | undefined;
  feed(child, options.input, (error) => {
    inputError = error;
    killGroup(child, 'SIGTERM');
  });
  const onAbort = end('abort');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const timer =
    options.timeoutMs === undefined ? undefined : setTimeout(end('timeout'), timerMs(options.timeoutMs));
  try {
    const [code, signal] = await exitOf(child, command, () => out.bytes + err.bytes);
    // What the command left in its group goes with it, where its time was up.
    if (reason !== undefined) killGroup(child, 'SIGKILL');
    out.end();
    err.end();
    if (reason === 'abort') options.signal?.throwIfAborted();
    if (inputError) {
      const message = `the input of ${command} could not be read: ${inputError.message}`;
      throw new IngotError('host/cannot-run', message, { cause: inputError });
    }
    const result: RunResult = {
      exitCode: code ?? 128 + (signal === null ? 0 : constants.signals[signal]),
      ...(signal !== null && { signal }),
      stdout: out.text,
      stderr: err.text,
    };
    check(result, reason, command, options, out.overflowed);
    return result;
  } finally {
    clearTimeout(timer);
    clearTimeout(force);
    options.signal?.removeEventListener('abort', onAbort);
    // The end of a process does not wait for the end of its standard input.
    if (options.input instanceof Readable) options.input.destroy();
  }
}

/** Waits for the end of the process, and of its output as long as that keeps coming. */
function exitOf(
  child: ChildProcess,
  command: string,
  received: () => number,
): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    let idle: NodeJS.Timeout | undefined;
    child.once('error', (cause) => {
      const message = `${command} could not be started: ${cause.message}`;
      reject(new IngotError('host/cannot-run', message, { cause }));
    });
    child.once('exit', () => {
      let before = -1;
      idle = setInterval(() => {
        if (received() === before) {
          child.stdout?.destroy();
          child.stderr?.destroy();
        }
        before = received();
      }, DRAIN_MS);
    });
    child.once('close', (code, signal) => {
      clearInterval(idle);
      resolve([code, signal]);
    });
  });
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
  if (overflowed && !options.onLine && !options.onBytes) {
    throw new IngotError(
      'host/too-much-output',
      `${command} wrote more than ${options.maxBytes ?? MAX_BYTES} bytes`,
      { output },
    );
  }
}

function feed(child: ChildProcess, input: RunOptions['input'], onError: (error: Error) => void): void {
  const { stdin } = child;
  if (!stdin || input === undefined) return;
  // The command may end without reading all of it (EPIPE); its exit code tells whether that was right.
  stdin.on('error', () => {});
  if (!(input instanceof Readable)) {
    stdin.end(input);
    return;
  }
  stdin.on('close', () => input.destroy());
  input.on('error', onError);
  input.pipe(stdin);
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
    // What is stopped hears nothing else.
    if (signal === 'SIGTERM') process.kill(-child.pid, 'SIGCONT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Gathers one stream's text, up to a limit in bytes, and hands on its lines. */
export class Collector {
  readonly #lines = new StringDecoder('utf8');
  readonly #max: number;
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #chunks: Buffer[] = [];
  #kept = 0;
  #line = '';
  /** Received so far, kept or not. */
  bytes = 0;

  constructor(max: number, onLine: ((line: string) => void) | undefined) {
    this.#max = max;
    this.#onLine = onLine;
  }

  take(data: Buffer): void {
    this.bytes += data.length;
    const kept = data.subarray(0, this.#max - this.#kept);
    if (kept.length > 0) this.#chunks.push(kept);
    this.#kept += kept.length;
    if (this.#onLine) this.#split(this.#lines.write(data));
  }

  end(): void {
    if (!this.#onLine) return;
    this.#split(this.#lines.end());
    if (this.#line !== '') this.#onLine(this.#line);
    this.#line = '';
  }

  get text(): string {
    // A character cut in two by the limit is left out.
    return new StringDecoder('utf8').write(Buffer.concat(this.#chunks));
  }

  get overflowed(): boolean {
    return this.bytes > this.#kept;
  }

  #split(text: string): void {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#onLine?.(line.endsWith('\r') ? line.slice(0, -1) : line);
    if (this.#line.length > MAX_LINE) {
      this.#onLine?.(this.#line);
      this.#line = '';
    }
  }
}
