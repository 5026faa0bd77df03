import { resolve } from 'node:path';
import { readCredential, readNamed } from '../credential-file.ts';
import { isMap } from '../document.ts';
import type { Surroundings } from '../provider.ts';
import { notConfigured } from '../refusal.ts';
import { bearer, type Fields, type Headers, textOf, type User } from './access.ts';
import { askPlugin, type ClusterInfo } from './credential-plugin.ts';

/** A user of a kubeconfig; paths start at `folder`. Throws `secrets/not-configured`. */
export async function userOf(
  user: Fields,
  folder: string,
  cluster: ClusterInfo,
  around: Surroundings,
): Promise<User> {
  const other = impersonated(user);
  // As Kubernetes' own clients do: what proves who we are is not sent in the clear.
  if (cluster.url.protocol === 'http:') return { headers: other };
  const { headers, ...pair } = await credentialsOf(user, folder, cluster, around);
  return { ...pair, headers: { ...headers, ...other } };
}

async function credentialsOf(
  user: Fields,
  folder: string,
  cluster: ClusterInfo,
  around: Surroundings,
): Promise<User> {
  const [cert, key] = await Promise.all([
    pemOf(user, 'client-certificate', folder),
    pemOf(user, 'client-key', folder),
  ]);
  const pair = { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
  const token = await tokenOf(user, folder);
  if (token !== undefined) {
    around.hide(token);
    return { ...pair, headers: bearer(token) };
  }
  const [name, password] = [textOf(user, 'username'), textOf(user, 'password')];
  if (name !== undefined && password !== undefined) {
    around.hide(password);
    const login = Buffer.from(`${name}:${password}`).toString('base64');
    return { ...pair, headers: { authorization: `Basic ${login}` } };
  }
  if (cert !== undefined) return { ...pair, headers: {} };
  if (isMap(user.exec)) return await askPlugin(user.exec, folder, cluster, around);
  if (isMap(user['auth-provider'])) {
    const hint = 'Use a token, a certificate or an exec plugin, as Kubernetes does since 1.26.';
    throw notConfigured('k8s', 'the kubeconfig has an auth-provider, which is not supported', hint);
  }
  return { headers: {} };
}

/** The file's goes before the one that the kubeconfig has, since it may be newer. */
async function tokenOf(user: Fields, folder: string): Promise<string | undefined> {
  const token = textOf(user, 'token')?.trim();
  const file = textOf(user, 'tokenFile');
  if (file === undefined) return token;
  return await readCredential('k8s', resolve(folder, file)).catch((error: unknown) => {
    if (token !== undefined) return token;
    throw error;
  });
}

/** A certificate or key: base64 in `<name>-data`, or a file. */
export async function pemOf(fields: Fields, name: string, folder: string): Promise<string | undefined> {
  const data = textOf(fields, `${name}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  const file = textOf(fields, name);
  return file === undefined ? undefined : await readNamed('k8s', resolve(folder, file));
}

/** Another user in whose name the server is asked (Kubernetes, user impersonation). */
function impersonated(user: Fields): Headers {
  const [name, uid] = [textOf(user, 'as'), textOf(user, 'as-uid')];
  if (name === undefined) return {};
  const extra = isMap(user['as-user-extra']) ? Object.entries(user['as-user-extra']) : [];
  const groups = textsOf(user['as-groups']);
  return {
    'impersonate-user': name,
    ...(uid !== undefined && { 'impersonate-uid': uid }),
    ...(groups.length > 0 && { 'impersonate-group': groups }),
    ...Object.fromEntries(
      extra.map(([key, values]) => [`impersonate-extra-${escaped(key)}`, textsOf(values)]),
    ),
  };
}

function textsOf(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

/** A key as part of a header's name: each byte that may not stand there by its percent code. */
function escaped(key: string): string {
  return key.replace(/[^!#$&'*+.^_`|~0-9A-Za-z-]/gu, (letter) =>
    [...Buffer.from(letter)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
