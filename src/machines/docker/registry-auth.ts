import type { Host } from '../../core/host.ts';
import { credentialsFor, type Credentials } from '../../store/registry/credentials.ts';
import { parseImageReference } from '../../store/registry/reference.ts';

export interface Login {
  readonly login: boolean;
  readonly login_username?: string | undefined;
  readonly login_password?: string | undefined;
  readonly login_server?: string | undefined;
}

/**
 * The header by which the engine speaks to an image's registry (Docker Engine API, "Authentication"): from the
 * template's login, or from what `docker login` left. Nothing is written down anywhere.
 */
export async function registryAuth(
  image: string,
  login: Login,
  host: Pick<Host, 'run'>,
): Promise<Record<string, string>> {
  const server = parseImageReference(image).host;
  const given: Credentials | undefined =
    login.login && login.login_username !== undefined
      ? { username: login.login_username, password: login.login_password ?? '' }
      : await credentialsFor(server, host);
  if (!given) return {};
  const auth =
    'identityToken' in given
      ? { identitytoken: given.identityToken }
      : { username: given.username, password: given.password };
  const serveraddress = login.login_server ?? server;
  return { 'X-Registry-Auth': Buffer.from(JSON.stringify({ ...auth, serveraddress })).toString('base64url') };
}
