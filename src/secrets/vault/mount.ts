import { isMap } from '../document.ts';
import type { Surroundings } from '../provider.ts';
import { answerObject } from '../refusal.ts';
import { below } from '../service-url.ts';
import type { VaultAccess } from './access.ts';

/** Where a key-value engine is mounted, and which version it is. */
export interface Mount {
  /** With the slash at its end; empty where the server does not tell. */
  readonly path: string;
  readonly version: 1 | 2;
}

/**
 * The mount that a path is in (Vault HTTP API, /sys/internal/ui/mounts). Of the paths that begin alike the first one asks,
 * and the others wait for its answer, which is mostly theirs, too: a hundred secrets cost one question.
 */
export async function mountOf(path: string, access: VaultAccess, around: Surroundings): Promise<Mount> {
  const { server, headers } = access;
  const where = [server.url.href, server.namespace, headers['x-vault-token']];
  const first = await around.once(['vault mount', ...where, path.split('/')[0]], () =>
    askMount(path, access, around),
  );
  if (first.path === '' || `${path}/`.startsWith(first.path)) return first;
  return await around.once(['vault mount of', ...where, path], () => askMount(path, access, around));
}

async function askMount(
  path: string,
  { server, headers }: VaultAccess,
  around: Surroundings,
): Promise<Mount> {
  const answer = await around.fetch({
    url: below(server.url, 'v1/sys/internal/ui/mounts', path),
    headers,
    tls: server.tls,
  });
  // Older servers do not have it.
  if (answer.status === 404) return { path: '', version: 1 };
  const { data } = answerObject(answer, server.url.origin, `the mount of ${path}`);
  if (!isMap(data)) return { path: '', version: 1 };
  const { path: mount, options } = data;
  return {
    path: typeof mount === 'string' ? `${mount.replace(/\/+$/, '')}/` : '',
    version: isMap(options) && options.version === '2' ? 2 : 1,
  };
}
