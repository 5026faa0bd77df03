import { createReadStream } from 'node:fs';
import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { IngotError } from '../core/error.ts';
import type { PostProcessor } from '../core/plugin.ts';
import { discardImages } from '../machines/docker/image-artifact.ts';

/** Packer's keys: developer.hashicorp.com/packer/integrations/hashicorp/docker/latest/components/post-processor/docker-import. */
const spec = bodySpec(
  {
    repository: attr.string('Repository to name the image by.', { required: true }),
    tag: attr.string('Tag; latest where there is none.'),
    changes: attr.strings('Dockerfile instructions for the image.', { default: [] }),
    docker_path: attr.string('Refused: no docker program is run.'),
  },
  {},
  (o): OptionProblem[] =>
    o.docker_path === undefined
      ? []
      : [{ path: ['docker_path'], message: 'docker_path is not supported: no docker program is run' }],
);

/** `post-processor "docker-import"`: an image of one layer from the archive of a filesystem. */
export const dockerImportPostProcessor: PostProcessor<OptionsOf<typeof spec>> = {
  type: 'docker-import',
  version: 1,
  schema: async () => spec,

  async process(artifact, { repository, tag, changes }, ctx) {
    const { DockerEngine } = await import('../machines/docker/engine.ts');
    const [file, ...others] = artifact.files;
    if (file === undefined || others.length > 0) {
      throw new IngotError(
        'post-processor/not-one-archive',
        `docker-import needs the archive of one filesystem, and got ${artifact.files.length} files`,
        { hint: 'Use it behind a source "docker" with export_path, or name the archive by artifice.' },
      );
    }
    let id = '';
    // The engine takes several instructions as several parameters.
    const query = new URLSearchParams({ fromSrc: '-', repo: repository, ...(tag !== undefined && { tag }) });
    for (const change of changes) query.append('changes', change);
    const request = { method: 'POST' as const, body: createReadStream(file), signal: ctx.signal };
    const engine = new DockerEngine();
    await engine.follow(`/images/create?${query.toString()}`, request, ({ status }) => {
      if (status?.startsWith('sha256:')) id = status;
    });
    const name = `${repository}:${tag ?? 'latest'}`;
    return {
      artifact: {
        builderId: 'packer.post-processor.docker-import',
        id: tag === undefined ? repository : name,
        files: [],
        description: `Imported Docker image: ${name}`,
        metadata: { docker_tags: [name], image: id },
        discard: discardImages(engine, [name]),
      },
      keep: false,
    };
  },
};
