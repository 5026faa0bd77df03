import { isAbsolute, join } from 'node:path';
import { attr, bodySpec, type OptionsOf } from '../core/body-spec.ts';
import type { PostProcessor } from '../core/plugin.ts';
import { replaceFileBy } from '../core/replace-file.ts';
import { requireImage } from '../machines/docker/image-artifact.ts';

/** Packer's keys: developer.hashicorp.com/packer/integrations/hashicorp/docker/latest/components/post-processor/docker-save. */
const spec = bodySpec({
  path: attr.string('File to write, relative to the template.', { required: true }),
});

/** `post-processor "docker-save"`: an image with its layers and names in one archive, as `docker load` takes it. */
export const dockerSavePostProcessor: PostProcessor<OptionsOf<typeof spec>> = {
  type: 'docker-save',
  version: 1,
  schema: async () => spec,

  async process(artifact, { path }, ctx) {
    const { DockerEngine } = await import('../machines/docker/engine.ts');
    const image = requireImage(artifact, 'docker-save');
    const tags = artifact.metadata?.docker_tags;
    const names = Array.isArray(tags) && tags.length > 0 ? tags.map(String) : [image];
    const target = isAbsolute(path) ? path : join(ctx.templateDir, path);
    await replaceFileBy(target, (partial) => new DockerEngine().save(names, partial, ctx.signal));
    const made = {
      builderId: 'packer.post-processor.docker-save',
      id: artifact.id,
      files: [target],
      description: `Saved Docker image ${artifact.id}: ${target}`,
      ...(artifact.metadata && { metadata: artifact.metadata }),
    };
    return { artifact: made, keep: true };
  },
};
