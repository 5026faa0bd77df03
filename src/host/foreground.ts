import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { IngotError } from '../core/error.ts';
import { findInPath } from './user-command.ts';

export interface ForegroundOptions {
  /** The whole environment of the command. */
  readonly env: Readonly<Record<string, string>>;
  /** Text for its standard input, instead of ours. */
  readonly input?: string;
}

/** Signals that ask for an end; the terminal sends some of them to the command itself, too. */
const FORWARDED: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'];

/**
 * Runs a command at our terminal, found by our PATH, and answers its exit code: 128 and the signal's number for one that
 * a signal ended, as shells have it. Signals that we get go on to it. Throws `host/cannot-run`.
 */
export function runInForeground(
  command: string,
  args: readonly string[],
  { env, input }: ForegroundOptions,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(findInPath(command, process.env.PATH ?? ''), args, {
      stdio: [input === undefined ? 'inherit' : 'pipe', 'inherit', 'inherit'],
      env: { ...env },
    });
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    for (const signal of FORWARDED) process.on(signal, forward);
    const stop = (): void => {
      for (const signal of FORWARDED) process.off(signal, forward);
    };
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
    child.once('exit', (code, signal) => {
      stop();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
