import { IngotError } from '../../core/error.ts';
import type { ExecOptions, ExecResult } from '../../core/machine.ts';
import { timerMs } from '../../core/timer-ms.ts';
import type { DockerEngine } from './engine.ts';
import { LineOutput } from './line-output.ts';
import { demultiplex } from './multiplex.ts';

/** Characters of each stream that are kept. */
const MAX_KEPT = 1024 * 1024;
let count = 0;

export interface ContainerCommand extends ExecOptions {
  /** Beside what the image sets. */
  readonly env: Readonly<Record<string, string>>;
  /** Absent: the container's. */
  readonly user: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Runs a command in a running container (Docker Engine API, "Exec"). One whose time is up, or that is given up, is ended
 * with its process group. Throws `host/timeout`.
 */
export async function runInContainer(
  engine: DockerEngine,
  container: string,
  argv: readonly string[],
  { env, user, cwd, input, onLine, timeoutMs, signal: outer }: ContainerCommand,
): Promise<ExecResult> {
  outer.throwIfAborted();
  // The mark finds the command's processes when its time is up.
  const mark = `ingot-exec-${process.pid}-${count++}`;
  const { Id: id } = await engine.json<{ Id: string }>(`/containers/${container}/exec`, {
    method: 'POST',
    json: {
      AttachStdin: input !== undefined,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
      Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
      // Else where the image says.
      ...(cwd !== undefined && { WorkingDir: cwd }),
      ...(user !== undefined && { User: user }),
      // A shell in between: a missing command is exit code 127, one ended by a signal 128 and more (XCU 2.8.2).
      Cmd: ['/bin/sh', '-c', '"$@"; exit $?', mark, ...argv],
    },
  });
  const socket = await engine.upgrade(`/exec/${id}/start`, { Detach: false, Tty: false });
  const stdout = new LineOutput(MAX_KEPT, onLine && ((line) => onLine('stdout', line)));
  const stderr = new LineOutput(MAX_KEPT, onLine && ((line) => onLine('stderr', line)));
  const deadline = timeoutMs === undefined ? undefined : AbortSignal.timeout(timerMs(timeoutMs));
  const signal = deadline ? AbortSignal.any([outer, deadline]) : outer;
  const stop = (): void => void socket.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (input !== undefined) socket.end(input);
    for await (const { stream, data } of demultiplex(socket))
      (stream === 'stdout' ? stdout : stderr).take(data);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
  if (signal.aborted) {
    await kill(engine, container, mark);
    outer.throwIfAborted();
    throw new IngotError('host/timeout', `${argv[0]} did not end within ${timeoutMs} ms`, {
      hint: "Raise the step's timeout, or find out what it waits for in the log above.",
    });
  }
  const { ExitCode } = await engine.json<{ ExitCode: number }>(`/exec/${id}/json`);
  return { exitCode: ExitCode, stdout: stdout.end(), stderr: stderr.end() };
}

/** Ends a command that was given up, with its process group. */
async function kill(engine: DockerEngine, container: string, mark: string): Promise<void> {
  const script = `for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q -- " $1 " && kill -9 -- -\${p#/proc/}; done; true`;
  const argv = ['sh', '-c', script, mark.replace('exec', 'kill'), mark];
  const never = new AbortController().signal;
  // By number: the image may have no such name.
  await runInContainer(engine, container, argv, { env: {}, user: '0', signal: never });
}
