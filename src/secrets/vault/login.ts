import { readCredential } from '../credential-file.ts';
import { isMap } from '../document.ts';
import { badParam } from '../encode.ts';
import type { Surroundings } from '../provider.ts';
import { answerObject, loginRefusal, notConfigured } from '../refusal.ts';
import { below } from '../service-url.ts';
import { headersOf, type VaultServer } from './access.ts';

export interface LoginParams {
  readonly method: string;
  readonly roleId: string;
  readonly secretId: string;
  readonly username: string;
  readonly passwordEnv: string | undefined;
  readonly passwordFile: string | undefined;
  /** Where AppRole or userpass is mounted, when not under its own name. */
  readonly loginMount: string | undefined;
  readonly kubernetesMount: string | undefined;
  /** File of the service account's token. */
  readonly kubernetesToken: string | undefined;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** Logs in and answers the token (Vault HTTP API, auth methods AppRole, Kubernetes and Userpass). */
export async function login(server: VaultServer, params: LoginParams, around: Surroundings): Promise<string> {
  const { path, body } = await loginRequest(server, params, around);
  const answer = await around.fetch({
    url: below(server.url, 'v1/auth', path),
    headers: { ...headersOf(server), 'content-type': 'application/json' },
    body: JSON.stringify(body),
    tls: server.tls,
  });
  const what = `the login by ${params.method}`;
  const { auth } = answerObject(answer, server.url.origin, what, loginRefusal);
  const token = isMap(auth) ? auth.client_token : undefined;
  if (typeof token === 'string' && token !== '') return token;
  throw notConfigured(
    server.backend,
    `${what} gave no token`,
    'Check the auth method; one that asks for a second factor does not work here.',
  );
}

async function loginRequest(
  { backend }: VaultServer,
  params: LoginParams,
  around: Surroundings,
): Promise<{ path: string; body: Record<string, string> }> {
  switch (params.method) {
    case 'approle': {
      if (params.roleId === '') throw missing(backend, 'role_id', 'ROLE_ID');
      around.hide(params.secretId);
      const body = { role_id: params.roleId, secret_id: params.secretId };
      return { path: `${params.loginMount ?? 'approle'}/login`, body };
    }
    case 'kubernetes': {
      if (params.roleId === '') throw missing(backend, 'role_id', 'ROLE_ID');
      const jwt = await readCredential(backend, params.kubernetesToken ?? SERVICE_ACCOUNT);
      around.hide(jwt);
      return { path: `${params.kubernetesMount ?? 'kubernetes'}/login`, body: { jwt, role: params.roleId } };
    }
    case 'userpass': {
      if (params.username === '') throw missing(backend, 'username', 'USERNAME');
      const { passwordEnv, passwordFile } = params;
      const password =
        passwordEnv !== undefined
          ? around.env[passwordEnv]
          : passwordFile && (await readCredential(backend, passwordFile));
      if (!password) throw missing(backend, 'password_env or password_file', 'PASSWORD_ENV');
      around.hide(password);
      return { path: `${params.loginMount ?? 'userpass'}/login/${params.username}`, body: { password } };
    }
    default:
      throw badParam('auth_method', params.method, 'token, approle, userpass or kubernetes');
  }
}

function missing(backend: string, name: string, variable: string) {
  const prefix = backend === 'openbao' ? 'BAO' : 'VAULT';
  return notConfigured(
    backend,
    `the login needs ${name}`,
    `Add it to the reference, or set ${prefix}_${variable}.`,
  );
}
