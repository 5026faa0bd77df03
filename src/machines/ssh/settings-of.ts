import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { SshLogin, SshSettings } from './settings.ts';

/** The keys of a template that say how to log in, as {@link communicatorAttributes} decodes them. */
export interface SshOptions {
  readonly ssh_username?: string | undefined;
  readonly ssh_password?: string | undefined;
  readonly ssh_private_key_file?: string | undefined;
  readonly ssh_agent_auth?: boolean | undefined;
  readonly ssh_ciphers?: readonly string[] | undefined;
  readonly ssh_key_exchange_algorithms?: readonly string[] | undefined;
  readonly ssh_timeout: number;
  readonly ssh_wait_timeout?: number | undefined;
  readonly ssh_handshake_attempts: number;
  readonly ssh_keep_alive_interval?: number | undefined;
  readonly ssh_pty?: boolean | undefined;
  readonly ssh_disable_agent_forwarding?: boolean | undefined;
  readonly pause_before_connecting?: number | undefined;
  readonly ssh_bastion_host?: string | undefined;
  readonly ssh_bastion_port: number;
  readonly ssh_bastion_username?: string | undefined;
  readonly ssh_bastion_password?: string | undefined;
  readonly ssh_bastion_private_key_file?: string | undefined;
  readonly ssh_bastion_agent_auth?: boolean | undefined;
}

type Ctx = Pick<Context, 'templateDir'>;

/** How to log in, as a template says. `key`: a private key for templates that name neither password, key nor agent. */
export async function sshSettingsOf(
  o: SshOptions,
  key: string | undefined,
  ctx: Ctx,
): Promise<Omit<SshSettings, 'host' | 'port'>> {
  const keys = o.ssh_private_key_file === undefined ? key : await keyFile(o.ssh_private_key_file, ctx);
  const agent = o.ssh_agent_auth ? agentSocket() : undefined;
  const bastion = await bastionOf(o, ctx);
  return {
    username: o.ssh_username as string,
    ...(o.ssh_password !== undefined && { password: o.ssh_password }),
    ...(keys !== undefined && { privateKeys: [keys] }),
    ...(agent !== undefined && { agent }),
    ...(bastion && { bastion }),
    ...(o.ssh_ciphers && { ciphers: o.ssh_ciphers }),
    ...(o.ssh_key_exchange_algorithms && { keyExchanges: o.ssh_key_exchange_algorithms }),
    timeoutMs: o.ssh_wait_timeout ?? o.ssh_timeout,
    handshakeAttempts: o.ssh_handshake_attempts,
    keepAliveMs: Math.max(0, o.ssh_keep_alive_interval ?? 5000),
    pauseMs: o.pause_before_connecting ?? 0,
    pty: o.ssh_pty ?? false,
    forwardAgent: o.ssh_agent_auth === true && o.ssh_disable_agent_forwarding !== true,
  };
}

async function bastionOf(o: SshOptions, ctx: Ctx): Promise<SshLogin | undefined> {
  if (o.ssh_bastion_host === undefined) return undefined;
  const file = o.ssh_bastion_private_key_file;
  const agent = o.ssh_bastion_agent_auth ? agentSocket() : undefined;
  return {
    host: o.ssh_bastion_host,
    port: o.ssh_bastion_port,
    username: o.ssh_bastion_username ?? (o.ssh_username as string),
    ...(o.ssh_bastion_password !== undefined && { password: o.ssh_bastion_password }),
    ...(file !== undefined && { privateKeys: [await keyFile(file, ctx)] }),
    ...(agent !== undefined && { agent }),
  };
}

async function keyFile(path: string, ctx: Ctx): Promise<string> {
  const whole = path.startsWith('~/') ? join(process.env.HOME ?? '/', path.slice(2)) : path;
  return await readFile(isAbsolute(whole) ? whole : join(ctx.templateDir, whole), 'utf8').catch(
    (cause: Error) => {
      throw new IngotError('ssh/bad-key', `the private key cannot be read: ${cause.message}`, {
        hint: 'Paths in a template start at the folder of the template.',
        cause,
      });
    },
  );
}

function agentSocket(): string {
  const socket = process.env.SSH_AUTH_SOCK;
  if (socket) return socket;
  throw new IngotError(
    'ssh/no-agent',
    'ssh_agent_auth is set, and there is no agent (SSH_AUTH_SOCK is empty)',
    {
      hint: 'Start one: eval "$(ssh-agent)" && ssh-add. With sudo, keep the variable: sudo --preserve-env=SSH_AUTH_SOCK.',
    },
  );
}
