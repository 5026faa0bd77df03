import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { IngotError } from '../core/error.ts';
import { findInPath } from './user-command.ts';

export interface ForegroundOptions {
  /** The whole environment of the command. */
  readonly env: Readonly<Record<string, string>>;
  /** Text for its standard input, instead of ours. */
  readonly input?: string;
  /** Rewrites each line of its output; it then has no terminal. */
  readonly rewrite?: (line: string) => string;
}

const INHERITED = ['inherit', 'inherit'] as const;
const PIPES = ['pipe', 'pipe'] as const;

/** Signals that ask for an end; the terminal sends some of them to the command itself, too. */
const FORWARDED: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'];

/**
 * Runs a command at our terminal, found by our PATH, and answers its exit code: 128 and the signal's number for one that
 * a signal ended, as shells have it. Signals that we get go on to it. Throws `host/cannot-run`.
 */
export function runInForeground(
  command: string,
  args: readonly string[],
  { env, input, rewrite }: ForegroundOptions,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(findInPath(command, process.env.PATH ?? ''), args, {
      stdio: [input === undefined ? 'inherit' : 'pipe', ...(rewrite ? PIPES : INHERITED)],
      env: { ...env },
    });
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    for (const signal of FORWARDED) process.on(signal, forward);
    const stop = (): void => {
      for (const signal of FORWARDED) process.off(signal, forward);
    };
    if (rewrite) {
      pass(child.stdout, process.stdout, rewrite);
      pass(child.stderr, process.stderr, rewrite);
    }
    // It may end without reading all of it.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    child.once('error', (cause) => {
      stop();
      const hint = 'Check its name and that it is in PATH.';
      reject(
        new IngotError('host/cannot-run', `${command} could not be started: ${cause.message}`, {
          cause,
          hint,
        }),
      );
    });
    // Output that is rewritten is all there at 'close'.
    child.once(rewrite ? 'close' : 'exit', (code: number | null, signal: NodeJS.Signals | null) => {
      stop();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** Passes whole lines on, each rewritten; what comes last may have no line end. */
function pass(from: Readable | null, to: Writable, rewrite: (line: string) => string): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  from?.on('data', (data: Buffer) => {
    const lines = (rest + decoder.write(data)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) to.write(`${rewrite(line)}\n`);
  });
  from?.on('end', () => {
    rest += decoder.end();
    if (rest !== '') to.write(rewrite(rest));
  });
}
