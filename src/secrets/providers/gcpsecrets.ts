import { IngotError } from '../../core/error.ts';
import { isMap } from '../document.ts';
import { googleEndpoint, googleHeaders } from '../google/call.ts';
import type { Provider, Request, Surroundings } from '../provider.ts';
import { answerObject, notConfigured, notFound } from '../refusal.ts';
import { below } from '../service-url.ts';

/**
 * `ref+gcpsecrets://project/secret?version=latest&fallback_value=&optional=&trim_nl=`; without a project GCP_PROJECT's
 * (Secret Manager REST API v1, projects.secrets.versions.access).
 */
export const gcpsecrets: Provider = {
  async text(request, around) {
    const text = await access(request, around).catch((error: unknown) => {
      const instead = isTrue(request.param('optional')) ? '' : request.params.get('fallback_value');
      if (instead !== undefined && error instanceof IngotError && error.code === 'secrets/not-found')
        return instead;
      throw error;
    });
    return isTrue(request.param('trim_nl')) ? text.replace(/\n$/, '') : text;
  },
};

async function access(request: Request, around: Surroundings): Promise<string> {
  const [first = '', ...rest] = request.path.split('/');
  const [project, secret] = rest.length === 0 ? [around.env.GCP_PROJECT, first] : [first, rest.join('/')];
  if (!project)
    throw notConfigured(
      'gcpsecrets',
      `${secret} names no project`,
      'Set GCP_PROJECT, or write project/secret.',
    );
  const version = request.param('version') ?? 'latest';
  const url = below(
    googleEndpoint('secretmanager', around),
    'v1',
    `projects/${project}/secrets/${secret}/versions/${version}`,
  );
  url.pathname += ':access';
  const answer = await around.fetch({ url, headers: await googleHeaders(around) });
  const what = `secret ${secret} of the project ${project}`;
  const { payload } = answerObject(answer, 'Secret Manager', what);
  const data = isMap(payload) ? payload.data : undefined;
  if (typeof data === 'string') return Buffer.from(data, 'base64').toString('utf8');
  throw notFound(`value of the ${what}`);
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(?:1|t|true)$/i.test(text);
}
