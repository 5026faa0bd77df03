import type { Duplex } from 'node:stream';
import type { Client, ConnectConfig } from 'ssh2';
import { IngotError } from '../../core/error.ts';
import type { SshLogin, SshSettings } from './settings.ts';

/** A handshake under emulation takes seconds. */
const READY_TIMEOUT_MS = 60_000;

/** A connection to an SSH server; `close` ends it and the one through the bastion. */
export interface SshConnection {
  readonly client: Client;
  /** Aborted when the connection is gone. */
  readonly lost: AbortSignal;
  close(): void;
}

/** A login was refused, as opposed to a machine that does not answer. */
export class LoginRefused extends Error {}

/** One attempt to connect. Throws {@link LoginRefused}, or whatever the network says. */
export async function connectOnce(s: SshSettings, signal: AbortSignal): Promise<SshConnection> {
  if (!s.bastion) return await open(configOf(s, s), signal);
  const bastion = await open(configOf(s.bastion, s), signal);
  try {
    const sock = await new Promise<Duplex>((resolve, reject) => {
      bastion.client.forwardOut('127.0.0.1', 0, s.host, s.port, (error, channel) =>
        error ? reject(error) : resolve(channel),
      );
    });
    const inner = await open({ ...configOf(s, s), sock: sock as never }, signal);
    return {
      ...inner,
      close() {
        inner.close();
        bastion.close();
      },
    };
  } catch (error) {
    bastion.close();
    throw error;
  }
}

function configOf(login: SshLogin, s: SshSettings): ConnectConfig {
  const [privateKey] = login.privateKeys ?? [];
  return {
    host: login.host,
    port: login.port,
    username: login.username,
    readyTimeout: READY_TIMEOUT_MS,
    keepaliveInterval: s.keepAliveMs,
    keepaliveCountMax: 12,
    ...(login.password !== undefined && { password: login.password, tryKeyboard: true }),
    ...(privateKey !== undefined && { privateKey }),
    ...(login.agent !== undefined && { agent: login.agent, agentForward: s.forwardAgent }),
    ...((s.ciphers || s.keyExchanges) && {
      algorithms: {
        ...(s.ciphers && { cipher: [...s.ciphers] as never }),
        ...(s.keyExchanges && { kex: [...s.keyExchanges] as never }),
      },
    }),
  };
}

/** Host keys are not asked for: a machine that was just made has none that anybody could know. */
async function open(config: ConnectConfig, signal: AbortSignal): Promise<SshConnection> {
  // Large, and wanted by those alone who connect: no other command loads it.
  const ssh2 = await import('ssh2');
  signal.throwIfAborted();
  const client = new ssh2.default.Client();
  const lost = new AbortController();
  return await new Promise((resolve, reject) => {
    const stop = (): void => {
      client.destroy();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
    client.on('keyboard-interactive', (_name, _text, _language, prompts, finish) => {
      finish(prompts.map(() => config.password as string));
    });
    client.once('ready', () => {
      signal.removeEventListener('abort', stop);
      resolve({ client, lost: lost.signal, close: () => client.end() });
    });
    client.on('error', (error: Error & { level?: string }) => {
      signal.removeEventListener('abort', stop);
      reject(error.level === 'client-authentication' ? new LoginRefused(error.message) : error);
    });
    client.on('close', () => {
      reject(new Error('the connection was closed'));
      lost.abort(disconnected());
    });
    try {
      client.connect(config);
    } catch (cause) {
      reject(badKey(cause));
    }
  });
}

/** What a command hears whose connection breaks. */
export function disconnected(): IngotError {
  return new IngotError('machine/disconnected', 'the machine went down while a command ran', {
    hint: 'Set expect_disconnect = true on a shell provisioner that restarts the machine.',
  });
}

function badKey(cause: unknown): IngotError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new IngotError('ssh/bad-key', `the SSH settings cannot be used: ${why}`, {
    hint: 'Keys must be in OpenSSH or PEM form and without a passphrase; use ssh_agent_auth for others.',
    cause,
  });
}
