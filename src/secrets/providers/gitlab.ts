import { IngotError } from '../../core/error.ts';
import type { Provider, Request } from '../provider.ts';
import { answerObject, notConfigured, notFound } from '../refusal.ts';
import { below, serviceUrl } from '../service-url.ts';

/**
 * `ref+gitlab://host/[projects/|groups/]id/NAME?scheme=https&ssl_verify=true&api_version=v4&environment_scope=`: a CI/CD
 * variable (GitLab REST API, project-level and group-level variables).
 */
export const gitlab: Provider = {
  async text(request, around) {
    const token = around.env.GITLAB_TOKEN;
    if (!token) throw notConfigured('gitlab', 'no token is configured', 'Set GITLAB_TOKEN.');
    around.hide(token);
    const { kind, id, name } = variableOf(request);
    const scheme = request.param('scheme') ?? 'https';
    const base = serviceUrl('gitlab', `${scheme}://${request.host}`, 'the host of the reference');
    const version = request.param('api_version') ?? 'v4';
    // A path as an id is one part of the address (GitLab REST API, "Namespaced paths").
    const url = below(base, `api/${version}/${kind}/${encodeURIComponent(id)}`, `variables/${name}`);
    const scope = request.param('environment_scope');
    if (scope !== undefined) url.searchParams.set('filter[environment_scope]', scope);
    const answer = await around.fetch({
      url,
      headers: { 'private-token': token },
      tls: { insecure: request.param('ssl_verify') === 'false' },
    });
    const what = `variable ${name} of ${kind} ${id}`;
    const { value } = answerObject(answer, request.host, what);
    if (typeof value === 'string') return value;
    throw notFound(`value of the ${what}`);
  },
};

/** The number of a project or a group, or its path: `team/app`, also as `team%2Fapp`. */
const ID = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[\w.-]+(?:\/[\w.-]+)*$/;

function variableOf({ path }: Request): { kind: string; id: string; name: string } {
  const parts = path.split('/').slice(1);
  const [kind, ...rest] = parts.length === 2 ? ['projects', ...parts] : parts;
  const name = rest.pop();
  const id = rest.join('/').replace(/%2f/gi, '/');
  if ((kind === 'projects' || kind === 'groups') && ID.test(id) && name) return { kind, id, name };
  throw new IngotError('secrets/bad-reference', `ref+gitlab://${path} names no variable`, {
    hint: 'Write ref+gitlab://host/projects/id/NAME or ref+gitlab://host/groups/id/NAME.',
  });
}
