import { IngotError } from '../../core/error.ts';
import type { Provider, Request, Surroundings } from '../provider.ts';
import { refusal } from '../refusal.ts';

/** Parameters that speak to us; the others are the server's. */
const OURS = ['default', 'bearer_env', 'user_env'];

/**
 * `ref+https://host/path?query#/key`: what a server answers to a GET, with a fragment a value of its JSON or YAML.
 * `bearer_env` and `user_env` name environment variables with a bearer token or `user:password`.
 */
export const http: Provider = {
  async text(request, around) {
    const url = urlOf(request);
    const answer = await around.fetch({ url, headers: authorization(request, around) });
    if (answer.status === 200) return answer.body.toString('utf8');
    throw refusal(answer, url.origin, `${url.origin}${url.pathname}`);
  },
};

/** The address, without the parameters that are ours. */
function urlOf({ backend, host, urlPath, params }: Request): URL {
  let url: URL;
  try {
    url = new URL(`${backend}://${host}`);
  } catch {
    throw new IngotError('secrets/bad-reference', `${JSON.stringify(host)} is no host`, {
      hint: `Write ref+${backend}://host/path.`,
    });
  }
  url.pathname = urlPath.split('/').map(encodeURIComponent).join('/');
  for (const [name, value] of params) if (!OURS.includes(name)) url.searchParams.append(name, value);
  return url;
}

function authorization(request: Request, around: Surroundings): Record<string, string> {
  const of = (param: string): string | undefined => {
    const name = request.params.get(param);
    if (name === undefined) return undefined;
    const value = around.env[name];
    if (value) {
      around.hide(value);
      return value;
    }
    throw new IngotError('secrets/not-configured', `${param} names ${name}, which is not set`, {
      hint: `Set ${name}.`,
    });
  };
  const bearer = of('bearer_env');
  const user = of('user_env');
  if (bearer !== undefined) return { authorization: `Bearer ${bearer}` };
  if (user !== undefined) return { authorization: `Basic ${Buffer.from(user).toString('base64')}` };
  return {};
}
