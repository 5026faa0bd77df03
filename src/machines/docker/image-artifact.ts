import type { Artifact } from '../../core/artifact.ts';
import { IngotError } from '../../core/error.ts';
import type { DockerEngine } from './engine.ts';

const IMAGES = ['packer.post-processor.docker-import', 'packer.post-processor.docker-tag'];

/** The engine's name or id of the image that an artifact is. Throws `post-processor/no-docker-image`. */
export function requireImage(artifact: Artifact, what: string): string {
  if (IMAGES.includes(artifact.builderId)) return artifact.id;
  throw new IngotError(
    'post-processor/no-docker-image',
    `${what} needs an image of the Docker engine, and got ${artifact.description}`,
    {
      hint: 'It follows a source "docker" with commit = true, docker-import or docker-tag, in one chain (post-processors).',
    },
  );
}

/** What takes away names of an image, or the image itself by its id; the last name takes the image along. */
export function discardImages(engine: DockerEngine, names: readonly string[]): () => Promise<void> {
  return async () => {
    for (const name of names) await engine.json(`/images/${name}`, { method: 'DELETE', ok: [404] });
  };
}
