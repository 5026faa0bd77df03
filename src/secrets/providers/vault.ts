import { isMap } from '../document.ts';
import { badParam } from '../encode.ts';
import type { HttpAnswer } from '../http.ts';
import type { Provider, Request, Surroundings } from '../provider.ts';
import { answerObject, notFound } from '../refusal.ts';
import { below } from '../service-url.ts';
import { type Flavor, type VaultAccess, vaultAccess } from '../vault/access.ts';
import { mountOf } from '../vault/mount.ts';

/**
 * `ref+vault://mount/path#/key`, or `ref+vault://mount/path/key`; parameters: address (or host, proto), namespace,
 * auth_method, token_env, token_file, role_id, secret_id, username, password_env, password_file, version, decode.
 */
export const vault: Provider = providerOf({ backend: 'vault', prefix: 'VAULT', tokenFile: '.vault-token' });

/** The same, for Vault's fork OpenBao and its environment variables. */
export const openbao: Provider = providerOf({ backend: 'openbao', prefix: 'BAO', tokenFile: '.bao-token' });

function providerOf(flavor: Flavor): Provider {
  return {
    async text(request, around) {
      const parts = request.path.split('/');
      const key = parts.pop() as string;
      const path = parts.join('/');
      const secret = await readSecret(path, request, flavor, around);
      if (!Object.hasOwn(secret, key)) throw notFound(`key ${JSON.stringify(key)} in the secret ${path}`);
      return decoded(textOf(secret[key]), request.param('decode'));
    },
    document: (request, around) => readSecret(request.path, request, flavor, around),
  };
}

/** A secret of the key-value engine, version 1 or 2 (Vault HTTP API, KV secrets engine). */
async function readSecret(
  path: string,
  request: Request,
  flavor: Flavor,
  around: Surroundings,
): Promise<Record<string, unknown>> {
  const access = await vaultAccess(request, flavor, around);
  const version = request.param('version');
  const { server, headers } = access;
  const key = ['vault secret', server.url.href, server.namespace, headers['x-vault-token'], path, version];
  return await around.once(key, async () => {
    const mount = await mountOf(path, access, around);
    const rest = path.slice(mount.path.length);
    const ask = (place: string): Promise<HttpAnswer> => askFor(place, version, access, around);
    let answer = await ask(mount.version === 2 ? `${mount.path}data/${rest}` : path);
    // The path may be written as the API has it.
    if (answer.status === 404 && mount.version === 2 && rest.startsWith('data/')) answer = await ask(path);
    const { data } = answerObject(answer, server.url.origin, `secret ${path}`);
    const inner = mount.version === 2 && isMap(data) ? data.data : data;
    if (isMap(inner)) return inner;
    throw notFound(`secret ${path}: its version was deleted`);
  });
}

function askFor(
  place: string,
  version: string | undefined,
  { server, headers }: VaultAccess,
  around: Surroundings,
): Promise<HttpAnswer> {
  const url = below(server.url, 'v1', place);
  if (version !== undefined) url.searchParams.set('version', version);
  // 412: this replica does not have the token's latest state yet (Vault Enterprise, eventual consistency).
  return around.fetch({ url, headers, tls: server.tls, retryOn: ({ status }) => status === 412 });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function decoded(text: string, decode = 'raw'): string {
  if (decode === 'raw' || decode === '') return text;
  if (decode === 'base64') return Buffer.from(text, 'base64').toString('utf8');
  throw badParam('decode', decode, 'raw or base64');
}
