import type { Source } from '../core/plugin.ts';
import { type DockerOptions, dockerSpec } from './docker/options.ts';

/** `source "docker"`: a container of the Docker engine, and an image or archive of it (docs/sources/docker.md). */
export const dockerSource: Source<DockerOptions> = {
  type: 'docker',
  version: 1,
  produces: 'files',
  schema: () => Promise.resolve(dockerSpec),
  pin: async (options) => ({ options }),
  start: async (o, base, ctx) => (await import('./docker/machine.ts')).startMachine(o, base, ctx),
};
