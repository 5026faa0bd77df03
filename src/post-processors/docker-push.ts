import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { note } from '../core/context.ts';
import type { PostProcessor } from '../core/plugin.ts';
import { requireImage } from '../machines/docker/image-artifact.ts';
import { loginAttributes, loginProblems } from '../machines/docker/login-spec.ts';

/** Packer's keys: developer.hashicorp.com/packer/integrations/hashicorp/docker/latest/components/post-processor/docker-push. */
const spec = bodySpec(
  { ...loginAttributes, platform: attr.string('Refused: an image of the engine has one platform.') },
  {},
  (o): OptionProblem[] => [
    ...loginProblems(o),
    ...(o.platform === undefined ? [] : [{ path: ['platform'], message: 'platform is not supported here' }]),
  ],
);

/** `post-processor "docker-push"`: sends all names that docker-tag or docker-import gave to their registry. */
export const dockerPushPostProcessor: PostProcessor<OptionsOf<typeof spec>> = {
  type: 'docker-push',
  version: 1,
  schema: async () => spec,

  async process(artifact, options, ctx) {
    const { DockerEngine } = await import('../machines/docker/engine.ts');
    const { registryAuth } = await import('../machines/docker/registry-auth.ts');
    const image = requireImage(artifact, 'docker-push');
    const engine = new DockerEngine();
    const tags = artifact.metadata?.docker_tags;
    const names = Array.isArray(tags) && tags.length > 0 ? tags.map(String) : [image];
    let digest: string | undefined;
    for (const name of names) {
      const colon = name.lastIndexOf(':');
      const [repository, tag] =
        colon > name.lastIndexOf('/') ? [name.slice(0, colon), name.slice(colon + 1)] : [name, 'latest'];
      const auth = await registryAuth(name, options, ctx.host);
      // The engine wants the header, be it empty.
      const headers = { 'X-Registry-Auth': Buffer.from('{}').toString('base64url'), ...auth };
      const request = { method: 'POST' as const, query: { tag }, headers, signal: ctx.signal };
      await engine.follow(`/images/${repository}/push`, request, ({ status, id, aux }) => {
        if (typeof aux?.Digest === 'string') digest = aux.Digest;
        if (status && !/^(Pushing|Waiting|Preparing)$/.test(status))
          note(ctx, id ? `${id}: ${status}` : status);
      });
    }
    return {
      artifact: {
        builderId: 'packer.post-processor.docker-import',
        id: names.at(-1) as string,
        files: [],
        description: `Pushed Docker image: ${names.join(', ')}${digest === undefined ? '' : ` (${digest})`}`,
        metadata: {
          ...artifact.metadata,
          docker_tags: names,
          ...(digest !== undefined && { Digest: digest }),
        },
      },
      keep: true,
    };
  },
};
