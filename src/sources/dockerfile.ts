import type { Source } from '../core/plugin.ts';
import { type DockerfileOptions, dockerfileSpec } from './dockerfile/options.ts';

/** `source "dockerfile"`: starts from what a Dockerfile builds (docs/sources/dockerfile.md). */
export const dockerfileSource: Source<DockerfileOptions> = {
  type: 'dockerfile',
  version: 2,
  produces: 'rootfs',
  schema: () => Promise.resolve(dockerfileSpec),
  pin: async (o, ctx) => (await import('./dockerfile/machine.ts')).pin(o, ctx),
  start: async (o, base, ctx) => (await import('./dockerfile/machine.ts')).startMachine(o, base, ctx),
};
