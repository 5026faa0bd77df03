import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../../core/body-spec.ts';
import type { Digest } from '../../core/digest.ts';
import { parsePlatform } from '../../disk/oci/platform.ts';

export const DOCKERFILE_ENGINES = ['buildah', 'docker'] as const;
export type DockerfileEngine = (typeof DOCKERFILE_ENGINES)[number];

/** What `source "dockerfile" "name" { … }` may hold. */
export const dockerfileSpec = bodySpec(
  {
    dockerfile: attr.string('The Dockerfile, relative to the template.', { default: 'Dockerfile' }),
    context: attr.string(
      "Folder that COPY and ADD read, relative to the template. Default: the Dockerfile's.",
    ),
    target: attr.string('The stage to build. Default: the last.'),
    arguments: attr.stringMap('Values of ARG.', { default: {} }),
    platform: attr.string('Platform to build for.', { default: 'linux/amd64' }),
    engine: attr.string('What builds. Default: buildah, or docker where only that is there.', {
      oneOf: DOCKERFILE_ENGINES,
    }),
    allow_unpinned: attr.bool('Takes images by tag, and locks their digests.', { default: false }),
    insecure: attr.bool('Registries are asked without TLS.', { default: false, unhashed: true }),
    boot: attr.bool('Run systemd while provisioning.', { default: false }),
  },
  {},
  (o): OptionProblem[] => {
    try {
      parsePlatform(o.platform);
      return [];
    } catch (error) {
      return [{ path: ['platform'], message: (error as Error).message }];
    }
  },
);

/** As pinned: the engine, the Dockerfile with digests, what it reads. */
export type DockerfileOptions = OptionsOf<typeof dockerfileSpec> & {
  readonly pinned?: {
    readonly engine: DockerfileEngine;
    readonly text: string;
    readonly context: Digest;
  };
};
