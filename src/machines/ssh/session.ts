import { setTimeout as delay } from 'node:timers/promises';
import { IngotError } from '../../core/error.ts';
import type { ExecResult } from '../../core/machine.ts';
import { connectOnce, LoginRefused, type SshConnection } from './connect.ts';
import { type RunOverSsh, runOverSsh } from './exec.ts';
import type { SshSettings } from './settings.ts';

const RETRY_MS = 500;
/** How often a machine that does not answer is looked at. */
const VERDICT_MS = 2000;

export interface SessionOptions {
  readonly settings: SshSettings;
  readonly signal: AbortSignal;
  /** Aborted when there is no use in trying on: the machine has ended. */
  readonly gone: AbortSignal;
  /** Asked between two attempts: why the machine will never answer. */
  readonly verdict?: () => Promise<IngotError | undefined>;
  /** What is known of the machine is added to why it cannot be reached. */
  readonly explain?: (error: IngotError) => Promise<IngotError>;
  /** Called after a connection was made, before anybody may use it. */
  readonly onConnect?: (run: (command: string) => Promise<ExecResult>) => Promise<void>;
}

/**
 * The way to a machine over SSH: one connection, made when it is first needed and again when it broke, since the
 * machine may restart. Commands run side by side on it.
 */
export class SshSession implements AsyncDisposable {
  readonly #options: SessionOptions;
  #connection: Promise<SshConnection> | undefined;
  #isFirst = true;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Runs one command line; waits until the machine answers. */
  async run(command: string, options: RunOverSsh = {}): Promise<ExecResult> {
    const { settings, gone } = this.#options;
    const connection = await this.connected();
    try {
      return await runOverSsh(connection, command, { pty: settings.pty, ...options });
    } catch (error) {
      // Why it had to be ended says more than that it went down.
      if (gone.reason instanceof IngotError && gone.reason.code === 'host/no-space') throw gone.reason;
      throw error;
    }
  }

  /** Waits until the machine answers. Throws `ssh/unreachable`, `ssh/login-refused`. */
  async connected(): Promise<SshConnection> {
    const current = await this.#connection?.catch(() => undefined);
    if (current && !current.lost.aborted) return current;
    this.#connection = this.#connect();
    return await this.#connection;
  }

  /** Forgets the connection: the machine behind it is another one now. */
  async disconnect(): Promise<void> {
    const current = await this.#connection?.catch(() => undefined);
    this.#connection = undefined;
    current?.close();
    current?.client.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }

  async #connect(): Promise<SshConnection> {
    const { settings, signal, gone, verdict, onConnect } = this.#options;
    const explain = this.#options.explain ?? (async (error: IngotError) => error);
    const deadline = performance.now() + settings.timeoutMs;
    const stop = AbortSignal.any([signal, gone]);
    let refusals = 0;
    for (;;) {
      stop.throwIfAborted();
      await using doom = watchFor(verdict);
      try {
        const connection = await connectOnce(settings, AbortSignal.any([stop, doom.signal]));
        try {
          await onConnect?.((command) => runOverSsh(connection, command, { signal: stop }));
          if (this.#isFirst) await delay(settings.pauseMs, undefined, { signal: stop });
          this.#isFirst = false;
          return connection;
        } catch (error) {
          connection.client.destroy();
          throw error;
        }
      } catch (cause) {
        stop.throwIfAborted();
        doom.signal.throwIfAborted();
        if (cause instanceof IngotError && cause.code !== 'machine/disconnected') throw cause;
        const known = await verdict?.();
        if (known) throw known;
        if (cause instanceof LoginRefused && ++refusals >= settings.handshakeAttempts) {
          throw await explain(refused(settings, cause));
        }
        if (performance.now() > deadline) {
          throw await explain(
            cause instanceof LoginRefused ? refused(settings, cause) : unreachable(settings, cause),
          );
        }
        const pause = cause instanceof LoginRefused ? 4 * RETRY_MS : RETRY_MS;
        // Whoever stopped it said why; a timer does not pass that on.
        await delay(pause, undefined, { signal: stop }).catch(() => stop.throwIfAborted());
      }
    }
  }
}

/** Asks again and again why the machine will never answer; aborts once there is a reason. */
function watchFor(verdict: SessionOptions['verdict']): { readonly signal: AbortSignal } & AsyncDisposable {
  const doom = new AbortController();
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    while (verdict && !over.signal.aborted) {
      const known = await verdict();
      if (known) return doom.abort(known);
      await delay(VERDICT_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  };
  const watching = watch();
  // Told to whoever waits for the end of it.
  watching.catch(() => {});
  return {
    signal: doom.signal,
    async [Symbol.asyncDispose]() {
      over.abort();
      await watching;
    },
  };
}

function refused(s: SshSettings, cause: unknown): IngotError {
  const offered = [
    ...(s.password === undefined ? [] : ['a password']),
    ...(s.privateKeys?.length ? ['a private key'] : []),
    ...(s.agent === undefined ? [] : ['the keys of the agent']),
  ];
  return new IngotError(
    'ssh/login-refused',
    `the machine does not let ${s.username} in; it was offered ${offered.join(' and ') || 'nothing'}`,
    {
      hint: 'Does the user exist there, with this password or key? Does sshd allow the method (PasswordAuthentication, PermitRootLogin)?',
      cause,
    },
  );
}

function unreachable(s: SshSettings, cause: unknown): IngotError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new IngotError(
    'ssh/unreachable',
    `no SSH server answered at ${s.host}:${s.port} within ${Math.round(s.timeoutMs / 1000)} s: ${why}`,
    {
      hint: 'Is an SSH server installed and started, and does the machine get an address by DHCP? Raise ssh_timeout where it is only slow.',
      cause,
    },
  );
}
