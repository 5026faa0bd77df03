import { attr, block, bodySpec, type OptionProblem, type OptionsOf } from '../../core/body-spec.ts';
import { loginAttributes, loginProblems } from '../../machines/docker/login-spec.ts';

const buildSpec = bodySpec({
  path: attr.string('The Dockerfile, relative to the template.', { required: true }),
  build_dir: attr.string("Folder that is sent to the engine. Default: the template's."),
  arguments: attr.stringMap('Build arguments.', { default: {} }),
  platform: attr.string('Platform to build for.'),
  pull: attr.bool('Asks registries for newer base images.', { default: true }),
  compress: attr.bool('Packs what is sent to the engine; on a socket of this machine that saves nothing.'),
});

/** Packer's keys: developer.hashicorp.com/packer/integrations/hashicorp/docker/latest/components/builder/docker. */
export const dockerSpec = bodySpec(
  {
    image: attr.string('Image to start from.'),
    commit: attr.bool('Makes an image of the container.', { default: false }),
    discard: attr.bool('Throws the container away.', { default: false }),
    export_path: attr.string("Writes the container's filesystem as a tar archive."),
    author: attr.string('Author of the committed image.', { default: '' }),
    changes: attr.strings('Dockerfile instructions for the committed image.', { default: [] }),
    message: attr.string('Message of the commit.', { default: '' }),
    container_dir: attr.string(
      'Refused unless it is the default: files are copied without a folder in between.',
      {
        default: '/packer-files',
      },
    ),
    remove_container_dir: attr.bool('Has no effect: no such folder is made.'),
    device: attr.strings('Devices of this machine: /dev/a[:/dev/b[:rwm]].', { default: [] }),
    cap_add: attr.strings('Capabilities to add.', { default: [] }),
    cap_drop: attr.strings('Capabilities to take.', { default: [] }),
    exec_user: attr.string('User of commands: NAME or UID, with :GROUP or :GID where need be.'),
    privileged: attr.bool('All capabilities and devices.', { default: false }),
    pty: attr.bool('Refused: commands have no terminal.', { default: false }),
    runtime: attr.string("The engine's runtime."),
    pull: attr.bool('Asks the registry for the image first.', { default: true }),
    run_command: attr.strings('Arguments of docker run.', {
      default: ['-d', '-i', '-t', '--entrypoint=/bin/sh', '--', '{{.Image}}'],
      goTemplate: true,
    }),
    tmpfs: attr.strings('Folders in memory: /path[:options].', { default: [] }),
    volumes: attr.stringMap('Folders of this machine in the container: host = container.', { default: {} }),
    fix_upload_owner: attr.bool('What is uploaded belongs to the user that the container runs as.', {
      default: true,
    }),
    windows_container: attr.bool('Refused.', { default: false }),
    platform: attr.string('Platform of the image.'),
    communicator: attr.string('Only docker.', { default: 'docker' }),
    pause_before_connecting: attr.duration('Time to wait once the container runs.', { unhashed: true }),
    ...loginAttributes,
  },
  { build: block(buildSpec, { doc: 'Builds the image to start from.' }) },
  (o): OptionProblem[] => {
    const problems = loginProblems(o);
    const add = (path: string, message: string, hint?: string): void =>
      void problems.push({ path: path === '' ? [] : [path], message, ...(hint !== undefined && { hint }) });
    const ends = [o.commit, o.discard, o.export_path !== undefined].filter(Boolean).length;
    if (ends !== 1) add('', `expected exactly one of commit, discard and export_path; got ${ends}`);
    if ((o.image === undefined) === (o.build === undefined)) add('image', 'expected one of image and build');
    if (o.windows_container) add('windows_container', 'containers of Windows are not supported');
    if (o.pty) add('pty', 'commands have no terminal: pty is not supported');
    if (!o.fix_upload_owner)
      add(
        'fix_upload_owner',
        'what is uploaded always belongs to the user that the container runs as',
        'Use chown in a shell provisioner.',
      );
    if (o.container_dir !== '/packer-files')
      add('container_dir', 'no folder is shared with the container: leave it out');
    if (o.communicator !== 'docker')
      add('communicator', `communicator "${o.communicator}" is not supported in containers`, 'Leave it out.');
    for (const [i, device] of o.device.entries())
      if (!/^\/[^:]+(:\/[^:]+)?(:[rwm]+)?$/.test(device))
        problems.push({
          path: ['device', i],
          message: `"${device}" is no device of the form /dev/a[:/dev/b[:rwm]]`,
        });
    return problems;
  },
);

export type DockerOptions = OptionsOf<typeof dockerSpec>;
