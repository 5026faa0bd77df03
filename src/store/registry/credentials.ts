import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { IngotError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';

/** What a registry is asked with. An identity token takes the place of a password. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string };

interface DockerConfig {
  readonly auths?: Readonly<
    Record<string, { auth?: string; username?: string; password?: string; identitytoken?: string }>
  >;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

/** The user name by which helpers say that the secret is an identity token (docker-credential-helpers). */
const TOKEN_USER = '<token>';

/**
 * Credentials for a registry's host, as `docker login` left them: in `config.json` of `DOCKER_CONFIG` or `~/.docker`, or
 * in a credential helper that it names (docs.docker.com, "docker login"). Undefined where there are none.
 * Throws `store/bad-credentials`.
 */
export async function credentialsFor(
  host: string,
  run: Pick<Host, 'run'>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Credentials | undefined> {
  const dir = env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker');
  const path = join(dir, 'config.json');
  const config = await readConfig(path);
  if (!config) return undefined;
  for (const name of namesOf(host)) {
    const helper = config.credHelpers?.[name];
    if (helper) return await askHelper(helper, name, dir, run);
  }
  for (const name of namesOf(host)) {
    const entry = config.auths?.[name];
    if (entry?.identitytoken) return { identityToken: entry.identitytoken };
    if (entry?.username !== undefined && entry.password !== undefined)
      return { username: entry.username, password: entry.password };
    if (entry?.auth) return decode(entry.auth, name, path);
  }
  return config.credsStore
    ? await askHelper(config.credsStore, namesOf(host)[0] as string, dir, run)
    : undefined;
}

/** Docker Hub is known by the address of its first API. */
function namesOf(host: string): string[] {
  const hub = 'https://index.docker.io/v1/';
  return host === 'docker.io' ? [hub, 'index.docker.io', 'docker.io'] : [host, `https://${host}`];
}

async function readConfig(path: string): Promise<DockerConfig | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as DockerConfig;
  } catch (cause) {
    throw bad(`${path} is not JSON`, cause);
  }
}

function decode(auth: string, name: string, path: string): Credentials {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) throw bad(`the entry of ${name} in ${path} holds no user and password`);
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Asks `docker-credential-<helper> get`, which takes the host on its input and answers JSON. */
async function askHelper(
  helper: string,
  name: string,
  dir: string,
  { run }: Pick<Host, 'run'>,
): Promise<Credentials | undefined> {
  if (!/^[A-Za-z0-9._-]+$/.test(helper))
    throw bad(`"${helper.slice(0, 40)}" is no name of a credential helper`);
  const command = `docker-credential-${helper}`;
  const { exitCode, stdout } = await run(command, ['get'], {
    input: name,
    okCodes: 'any',
    env: { DOCKER_CONFIG: dir },
  });
  if (exitCode !== 0) {
    if (/credentials not found/i.test(stdout)) return undefined;
    throw bad(`${command} ended with ${exitCode} when it was asked for ${name}`);
  }
  let answer: { Username?: unknown; Secret?: unknown };
  try {
    answer = JSON.parse(stdout) as typeof answer;
  } catch (cause) {
    throw bad(`${command} did not answer JSON`, cause);
  }
  const { Username: username, Secret: secret } = answer;
  if (typeof username !== 'string' || typeof secret !== 'string')
    throw bad(`${command} named no user and secret`);
  return username === TOKEN_USER ? { identityToken: secret } : { username, password: secret };
}

function bad(what: string, cause?: unknown): IngotError {
  return new IngotError('store/bad-credentials', `credentials of a registry cannot be read: ${what}`, {
    hint: 'Run `docker login` again, or set DOCKER_CONFIG to a folder with a good config.json.',
    ...(cause !== undefined && { cause }),
  });
}
