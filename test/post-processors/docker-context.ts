import { tmpdir } from 'node:os';
import type { Artifact } from '../../src/core/artifact.ts';
import type { Context } from '../../src/core/context.ts';

/** What docker-* post-processors need of a step. */
export const dockerContext = {
  signal: new AbortController().signal,
  emit: () => {},
  step: 'post-processor.docker',
  host: { run: () => Promise.reject(new Error('nothing runs here')) },
  templateDir: tmpdir(),
} as unknown as Context;

/** An image of the engine with names. */
export function imageArtifact(...names: string[]): Artifact {
  return {
    builderId: 'packer.post-processor.docker-tag',
    id: names.at(-1) ?? 'sha256:1',
    files: [],
    description: 'an image',
    metadata: { docker_tags: names },
  };
}
