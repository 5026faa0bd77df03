import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import type { PostProcessor } from '../core/plugin.ts';
import { discardImages, requireImage } from '../machines/docker/image-artifact.ts';

/** Packer's keys: developer.hashicorp.com/packer/integrations/hashicorp/docker/latest/components/post-processor/docker-tag. */
const spec = bodySpec(
  {
    repository: attr.string('Repository to name the image by.', { required: true }),
    tags: attr.strings('Tags; without any, the engine takes latest.', { default: [] }),
    tag: attr.strings('As tags.', { default: [], deprecated: 'Use tags.' }),
    force: attr.bool('A tag always moves; kept for old templates.'),
    docker_path: attr.string('Refused: no docker program is run.'),
  },
  {},
  (o): OptionProblem[] =>
    o.docker_path === undefined
      ? []
      : [{ path: ['docker_path'], message: 'docker_path is not supported: no docker program is run' }],
);

/** `post-processor "docker-tag"`: gives an image of the Docker engine names. */
export const dockerTagPostProcessor: PostProcessor<OptionsOf<typeof spec>> = {
  type: 'docker-tag',
  version: 1,
  schema: async () => spec,

  async process(artifact, { repository, tags, tag }, ctx) {
    const { DockerEngine } = await import('../machines/docker/engine.ts');
    const image = requireImage(artifact, 'docker-tag');
    const engine = new DockerEngine();
    const names = [...tags, ...tag];
    for (const name of names.length > 0 ? names : ['latest']) {
      const query = { repo: repository, tag: name };
      await engine.json(`/images/${image}/tag`, { method: 'POST', query, signal: ctx.signal });
    }
    const tagged = names.map((name) => `${repository}:${name}`);
    return {
      artifact: {
        builderId: 'packer.post-processor.docker-tag',
        id: tagged.at(-1) ?? repository,
        files: [],
        description: `Imported Docker image: ${tagged.at(-1) ?? repository}`,
        metadata: { docker_tags: tagged, image },
        discard: discardImages(engine, tagged.length > 0 ? tagged : [`${repository}:latest`]),
      },
      keep: true,
      // A name for an image that is deleted would be of no use.
      mustKeep: true,
    };
  },
};
