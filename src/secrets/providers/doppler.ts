import { IngotError } from '../../core/error.ts';
import { isMap } from '../document.ts';
import { goJson } from '../go-json.ts';
import type { Provider, Request, Surroundings } from '../provider.ts';
import { answerObject, notConfigured, notFound } from '../refusal.ts';
import { below, serviceUrl } from '../service-url.ts';

/** Secrets that Doppler adds by itself. */
const OWN = ['DOPPLER_PROJECT', 'DOPPLER_CONFIG', 'DOPPLER_ENVIRONMENT'];

/**
 * `ref+doppler://project/config/NAME?token=&address=&include_doppler_defaults`, project and config empty for a service
 * token; without a name, and with a fragment, all secrets (Doppler API v3, configs/config/secrets).
 */
export const doppler: Provider = {
  async text(request, around) {
    const { project, config, name } = placeOf(request);
    const secrets = await readSecrets(request, { project, config }, around);
    if (name === '') return goJson(secrets);
    const value = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
    if (value === undefined) throw notFound(`secret ${name} in Doppler's ${project}/${config}`);
    return value;
  },
  document(request, around) {
    return readSecrets(request, placeOf(request), around);
  },
};

function placeOf({ path }: Request): { project: string; config: string; name: string } {
  const [project = '', config = '', name = '', ...more] = path.split('/');
  if (more.length === 0) return { project, config, name };
  throw new IngotError('secrets/bad-reference', `ref+doppler://${path} has more than three parts`, {
    hint: 'Write ref+doppler://project/config/NAME.',
  });
}

async function readSecrets(
  request: Request,
  place: { readonly project: string; readonly config: string },
  around: Surroundings,
): Promise<Record<string, string>> {
  const { env } = around;
  const token = request.param('token') ?? env.DOPPLER_TOKEN;
  if (!token) throw notConfigured('doppler', 'no token is configured', 'Set DOPPLER_TOKEN.');
  around.hide(token);
  const host = request.param('host');
  const address =
    request.param('address') ??
    (host === undefined
      ? env.DOPPLER_API_ADDR || 'https://api.doppler.com'
      : `${request.param('proto') ?? 'https'}://${host}`);
  const project = place.project || (request.param('project') ?? env.DOPPLER_PROJECT);
  const config = place.config || (request.param('config') ?? env.DOPPLER_ENVIRONMENT);
  const url = below(serviceUrl('doppler', address, 'DOPPLER_API_ADDR'), '', 'v3/configs/config/secrets');
  if (project) url.searchParams.set('project', project);
  if (config) url.searchParams.set('config', config);
  const all = await around.once(['doppler', url.href, token], async () => {
    const answer = await around.fetch({
      url,
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      tls: { insecure: (request.param('no_verify_tls') ?? 'false') !== 'false' },
    });
    const { secrets } = answerObject(answer, 'Doppler', `the secrets of ${project ?? ''}/${config ?? ''}`);
    return isMap(secrets) ? secrets : {};
  });
  const withOwn = request.params.has('include_doppler_defaults');
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, secret]) =>
      isMap(secret) && typeof secret.computed === 'string' && (withOwn || !OWN.includes(name))
        ? [[name, secret.computed]]
        : [],
    ),
  );
}
