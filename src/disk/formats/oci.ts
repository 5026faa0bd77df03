import { attr, bodySpec, type OptionsOf } from '../../core/body-spec.ts';
import type { RootfsFormat } from './types.ts';

const spec = bodySpec({
  compression: attr.string(
    'How layers are compressed: gzip (every reader) or zstd (containerd 1.5, Docker 23).',
    {
      default: 'gzip',
      oneOf: ['gzip', 'zstd'],
    },
  ),
  architecture: attr.string("The image's architecture, as Go names it.", { default: 'amd64' }),
  entrypoint: attr.strings("Command that always runs. Default: the base image's."),
  cmd: attr.strings(
    "Command, or arguments of the entrypoint, unless others are given. Default: the base image's, or /bin/sh.",
  ),
  env: attr.stringMap("Environment variables, beside the base image's.", { default: {} }),
  user: attr.string("User (and group) that the command runs as. Default: the base image's, or root."),
  working_dir: attr.string("Folder that the command starts in. Default: the base image's, or /."),
  labels: attr.stringMap("Further labels, beside the base image's.", { default: {} }),
});

export type OciOptions = OptionsOf<typeof spec>;

/**
 * An OCI image layout in one tar archive (image-spec 1.1). One layer: the finished filesystem. The layers of the
 * build still hold what sealing removed, and whoever has an image can read all of its layers.
 */
export const oci: RootfsFormat<OciOptions> = {
  type: 'oci',
  version: 4,
  doc: 'A container image of one layer, as an OCI archive for podman, skopeo and containerd.',
  spec,
  input: 'rootfs',
  extension: 'oci.tar',
  needs: [],
  write: async (job) => (await import('./oci-writer.ts')).writeOci(job),
};
