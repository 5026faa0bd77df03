import { setTimeout as delay } from 'node:timers/promises';
import { Readable, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ClientChannel } from 'ssh2';
import { IngotError } from '../../core/error.ts';
import type { ExecOptions, ExecResult } from '../../core/machine.ts';
import { timerMs } from '../../core/timer-ms.ts';
import { Collector } from '../../host/process.ts';
import { disconnected, type SshConnection } from './connect.ts';

const KEPT = 1024 * 1024;
/** A command is over when it has ended, even if a daemon that it started still holds its output open. */
const DRAIN_MS = 300;
/** How long a command that was told to end may take. */
const KILL_AFTER_MS = 2000;

export interface RunOverSsh extends Pick<ExecOptions, 'onLine' | 'timeoutMs' | 'signal'> {
  readonly input?: string | Uint8Array | Readable;
  /** Takes the standard output, and is ended with it; then none of it is kept. */
  readonly output?: Writable;
  /** Ends in the machine what this command has started; without it, sshd is asked to signal. */
  readonly kill?: (signal: 'TERM' | 'KILL') => Promise<unknown>;
  readonly pty?: boolean;
}

/** Runs one command line. Throws `machine/disconnected` when the connection ends before the command does. */
export async function runOverSsh(
  connection: SshConnection,
  command: string,
  o: RunOverSsh,
): Promise<ExecResult> {
  o.signal?.throwIfAborted();
  const { channel, exit } = await openChannel(connection, command, o.pty ?? false);
  const out = new Collector(KEPT, o.onLine && ((line) => o.onLine?.('stdout', line)));
  const err = new Collector(KEPT, o.onLine && ((line) => o.onLine?.('stderr', line)));
  const { output } = o;
  const written = output && finished(output);
  // Told when the command has ended.
  written?.catch(() => {});
  if (output) channel.pipe(output, { end: false });
  else channel.on('data', (data: Buffer) => out.take(data));
  channel.stderr.on('data', (data: Buffer) => err.take(data));
  feed(channel, o.input);
  const exitCode = await endOf(channel, exit, connection, o, () =>
    // What waits for a slow disk is not over.
    output ? Number.NaN : out.bytes + err.bytes,
  );
  output?.end();
  await written;
  out.end();
  err.end();
  return { exitCode, stdout: out.text, stderr: err.text };
}

interface Opened {
  readonly channel: ClientChannel;
  readonly exit: Exit;
}

/** How a command has ended. Of a quick one it is known when the channel is handed over: one packet may bring all. */
interface Exit {
  code?: number;
  onExit?: () => void;
}

function openChannel(connection: SshConnection, command: string, pty: boolean): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const lost = (): void => reject(disconnected());
    if (connection.lost.aborted) return lost();
    connection.lost.addEventListener('abort', lost, { once: true });
    connection.client.exec(command, { pty }, (error, channel) => {
      connection.lost.removeEventListener('abort', lost);
      if (error) {
        reject(disconnected());
        return;
      }
      const exit: Exit = {};
      channel.once('exit', (code: number | null) => {
        exit.code = code ?? 128;
        exit.onExit?.();
      });
      resolve({ channel, exit });
    });
  });
}

function feed(channel: ClientChannel, input: RunOverSsh['input']): void {
  // The command may end without reading all of it; its exit code tells whether that was right.
  channel.on('error', () => {});
  if (!(input instanceof Readable)) {
    channel.end(input);
    return;
  }
  channel.once('close', () => input.destroy());
  input.pipe(channel);
}

function endOf(
  channel: ClientChannel,
  exit: Exit,
  connection: SshConnection,
  o: RunOverSsh,
  received: () => number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let stopped = false;
    let idle: NodeJS.Timeout | undefined;
    const cleanUp = (): void => {
      clearInterval(idle);
      clearTimeout(timer);
      o.signal?.removeEventListener('abort', onAbort);
      connection.lost.removeEventListener('abort', onLost);
    };
    const fail = (error: unknown): void => {
      cleanUp();
      reject(error as Error);
    };
    const stop = (why: unknown): void => {
      cleanUp();
      stopped = true;
      void endCommand(channel, o.kill).then(() => reject(why as Error));
    };
    const onAbort = (): void => stop(o.signal?.reason);
    const onLost = (): void => (exit.code === undefined ? fail(disconnected()) : finish());
    const finish = (): void => {
      cleanUp();
      // Whoever stopped it tells why.
      if (stopped) return;
      if (exit.code === undefined) reject(disconnected());
      else resolve(exit.code);
    };
    const timer =
      o.timeoutMs === undefined
        ? undefined
        : setTimeout(
            () => stop(new IngotError('host/timeout', `the command did not end within ${o.timeoutMs} ms`)),
            timerMs(o.timeoutMs),
          );
    if (o.input instanceof Readable) o.input.once('error', stop);
    o.signal?.addEventListener('abort', onAbort, { once: true });
    connection.lost.addEventListener('abort', onLost, { once: true });
    exit.onExit = (): void => {
      if (stopped) return;
      let before = -1;
      idle = setInterval(() => {
        if (received() === before) channel.close();
        before = received();
      }, DRAIN_MS);
    };
    if (exit.code !== undefined) exit.onExit();
    channel.once('close', finish);
  });
}

/** Ends a command politely, then by force; where the connection is gone, what it ran is too, or soon. */
async function endCommand(channel: ClientChannel, kill: RunOverSsh['kill']): Promise<void> {
  let closed = false;
  const close = new Promise<void>((done) => {
    channel.once('close', () => {
      closed = true;
      done();
    });
  });
  const signal = async (name: 'TERM' | 'KILL'): Promise<void> => {
    if (kill) await kill(name).catch(() => undefined);
    else channel.signal(name);
  };
  await signal('TERM');
  await Promise.race([close, delay(KILL_AFTER_MS)]);
  // Also what has left the command's group and outlived it.
  await signal('KILL');
  if (!closed) channel.close();
}
