import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Tls } from '../http.ts';
import type { Request, Surroundings } from '../provider.ts';
import { notConfigured } from '../refusal.ts';
import { serviceUrl } from '../service-url.ts';
import { isTrue, readTls } from '../tls-files.ts';
import { type LoginParams, login } from './login.ts';

/** Vault's names, or those of its fork OpenBao. */
export interface Flavor {
  readonly backend: 'vault' | 'openbao';
  /** Of environment variables. */
  readonly prefix: 'VAULT' | 'BAO';
  /** Below the home folder. */
  readonly tokenFile: string;
}

/** A server, and the headers that open it. */
export interface VaultAccess {
  readonly server: VaultServer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface VaultServer {
  readonly backend: string;
  readonly url: URL;
  readonly tls: Tls;
  readonly namespace: string | undefined;
}

/**
 * Where the server is and the token for it, by the reference's parameters or the environment; logs in once for all
 * references that say the same. Throws `secrets/not-configured`, and `secrets/denied` where the login fails.
 */
export async function vaultAccess(
  request: Request,
  flavor: Flavor,
  around: Surroundings,
): Promise<VaultAccess> {
  const { backend, prefix } = flavor;
  const env = (name: string): string | undefined => around.env[`${prefix}_${name}`] || undefined;
  const address = addressOf(request, prefix, env);
  const namespace = request.param('namespace') ?? env('NAMESPACE');
  const params: LoginParams = {
    method: request.param('auth_method') ?? env('AUTH_METHOD') ?? 'token',
    roleId: request.param('role_id') ?? env('ROLE_ID') ?? '',
    secretId: request.param('secret_id') ?? env('SECRET_ID') ?? '',
    username: request.param('username') ?? env('USERNAME') ?? '',
    passwordEnv: request.param('password_env') ?? env('PASSWORD_ENV'),
    passwordFile: request.param('password_file') ?? env('PASSWORD_FILE'),
    loginMount: request.param('login_mount_point') ?? env('LOGIN_MOUNT_POINT'),
    kubernetesMount: env('KUBERNETES_MOUNT_POINT'),
    kubernetesToken: env('KUBERNETES_JWT_TOKEN_PATH'),
  };
  const tokenEnv = request.param('token_env');
  const tokenFile = request.param('token_file');
  return await around.once(
    ['vault access', backend, address, namespace, params, tokenEnv, tokenFile],
    async () => {
      const url = serviceUrl(backend, address, `${prefix}_ADDR`);
      const tls = await readTls(backend, {
        caCert: request.param('ca_cert') ?? env('CACERT'),
        caPath: env('CAPATH'),
        clientCert: env('CLIENT_CERT'),
        clientKey: env('CLIENT_KEY'),
        serverName: env('TLS_SERVER_NAME'),
        insecure: isTrue(env('SKIP_VERIFY')),
      });
      const server: VaultServer = { backend, url, tls, namespace };
      const token =
        params.method === 'token'
          ? await storedToken({ tokenEnv, tokenFile }, flavor, around)
          : await login(server, params, around);
      around.hide(token);
      return { server, headers: { ...headersOf(server), 'x-vault-token': token } };
    },
  );
}

/** Headers of every request. */
export function headersOf({ namespace }: VaultServer): Record<string, string> {
  return { 'x-vault-request': 'true', ...(namespace && { 'x-vault-namespace': namespace }) };
}

function addressOf(request: Request, prefix: string, env: (name: string) => string | undefined): string {
  const address = request.param('address');
  if (address !== undefined) return address;
  const host = request.param('host');
  if (host !== undefined) return `${request.param('proto') ?? 'https'}://${host}`;
  const configured = env('ADDR');
  if (configured !== undefined) return configured;
  throw notConfigured(
    request.backend,
    'no server is configured',
    `Set ${prefix}_ADDR, or add ?address=https://host:8200 to the reference.`,
  );
}

/** A token that is there already: the reference's own, `<PREFIX>_TOKEN`, or a file. */
async function storedToken(
  { tokenEnv, tokenFile }: { tokenEnv: string | undefined; tokenFile: string | undefined },
  { backend, prefix, tokenFile: usual }: Flavor,
  { env }: Surroundings,
): Promise<string> {
  if (tokenEnv !== undefined && tokenFile === undefined) {
    const token = env[tokenEnv];
    if (token) return token;
    throw notConfigured(
      backend,
      `the token is to come from ${tokenEnv}, which is not set`,
      `Set ${tokenEnv}.`,
    );
  }
  const home = env.HOME || homedir();
  const named = tokenFile?.replace(/^~\//, `${home}/`);
  const path = named ?? (env[`${prefix}_TOKEN_FILE`] || join(home, usual));
  const inEnvironment = env[`${prefix}_TOKEN`];
  if (named === undefined && inEnvironment) return inEnvironment;
  try {
    const token = (await readFile(path, 'utf8')).trim();
    if (token !== '') return token;
  } catch (cause) {
    if (named !== undefined)
      throw notConfigured(
        backend,
        `${path} can't be read: ${(cause as Error).message}`,
        'Correct token_file.',
      );
  }
  throw notConfigured(
    backend,
    'no token is configured',
    `Set ${prefix}_TOKEN, write it to ${path}, or choose another auth_method (approle, userpass, kubernetes).`,
  );
}
