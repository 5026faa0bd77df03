import { expect, test } from 'vitest';
import { parseRunCommand } from '../../../src/machines/docker/run-command.ts';
import { demultiplex } from '../../../src/machines/docker/multiplex.ts';
import { containerOf } from '../../../src/sources/docker/container.ts';
import type { DockerOptions } from '../../../src/sources/docker/options.ts';
import { dockerSource } from '../../../src/sources/docker.ts';
import { optionsOf } from '../../provisioners/options.ts';

const base = 'image = "i:1"\n discard = true';

test.each([
  ['image = "i:1"', /exactly one of commit, discard and export_path; got 0/],
  ['image = "i:1"\n commit = true\n discard = true', /got 2/],
  ['discard = true', /one of image and build/],
  [`${base}\n windows_container = true`, /Windows/],
  [`${base}\n pty = true`, /pty is not supported/],
  [`${base}\n fix_upload_owner = false`, /belongs to the user that the container runs as/],
  [`${base}\n container_dir = "/x"`, /no folder is shared/],
  [`${base}\n communicator = "winrm"`, /communicator "winrm"/],
  [`${base}\n device = ["dev"]`, /no device of the form/],
  [`${base}\n ecr_login = true`, /ecr_login is not supported/],
])('%s is refused', async (hcl, message) => {
  await expect(optionsOf(dockerSource, hcl)).rejects.toThrow(message);
});

test('keys become what the engine takes', async () => {
  const hcl = `${base}\n volumes = { "site" = "/srv" }\n device = ["/dev/a:/dev/b:r"]\n tmpfs = ["/t:size=1m"]\n privileged = true`;
  const made = containerOf((await optionsOf(dockerSource, hcl)) as DockerOptions, 'i:1', '/template');
  expect(made.create).toMatchObject({
    Image: 'i:1',
    Entrypoint: ['/bin/sh'],
    HostConfig: {
      Privileged: true,
      Binds: ['/template/site:/srv'],
      Devices: [{ PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'r' }],
      Tmpfs: { '/t': 'size=1m' },
    },
  });
});

test('run_command is read as docker run reads it', () => {
  const args = ['-dit', '-e', 'A=1', '--user=u', '-w', '/w', '--network=none', '--', 'i:1', 'sh', '-c', 'x'];
  expect(parseRunCommand(args, 'i:1')).toMatchObject({
    env: ['A=1'],
    user: 'u',
    workingDir: '/w',
    network: 'none',
    volumes: [],
    cmd: ['sh', '-c', 'x'],
  });
});

test('run_command may start a whole system, under a name', async () => {
  const words =
    '-d -i -t --name default --privileged --init --cap-add=SYS_PTRACE --cap-drop MKNOD --tmpfs /run:size=1m --cgroupns=host --add-host a:192.0.2.1 --dns 192.0.2.2 --security-opt seccomp=unconfined -v /sys/fs/cgroup:/sys/fs/cgroup:ro {{.Image}} /sbin/init';
  const hcl = `${base}\n cap_add = ["NET_ADMIN"]\n run_command = ${JSON.stringify(words.split(' '))}`;
  const made = containerOf((await optionsOf(dockerSource, hcl)) as DockerOptions, 'i:1', '/template');
  expect(made.name).toBe('default');
  expect(made.create).toEqual({
    Image: 'i:1',
    Cmd: ['/sbin/init'],
    Env: [],
    HostConfig: {
      Privileged: true,
      Init: true,
      CapAdd: ['NET_ADMIN', 'SYS_PTRACE'],
      CapDrop: ['MKNOD'],
      Binds: ['/sys/fs/cgroup:/sys/fs/cgroup:ro'],
      Devices: [],
      Tmpfs: { '/run': 'size=1m' },
      CgroupnsMode: 'host',
      ExtraHosts: ['a:192.0.2.1'],
      Dns: ['192.0.2.2'],
      SecurityOpt: ['seccomp=unconfined'],
    },
  });
});

test.each([[['--gpus=all', 'i:1']], [['-e']], [['other']], [[]]])('run_command %j is refused', (args) => {
  expect(() => parseRunCommand(args, 'i:1')).toThrow(/cannot be followed/);
});

test('two streams in one are told apart, wherever the pieces end', async () => {
  const frame = (stream: number, text: string): Buffer => {
    const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(text.length, 4);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  const all = Buffer.concat([frame(1, 'out'), frame(2, 'error'), frame(1, ''), frame(1, 'end')]);
  for (const size of [1, 3, 8, 100]) {
    const pieces = Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
      all.subarray(i * size, i * size + size),
    );
    const heard = { stdout: '', stderr: '' };
    for await (const { stream, data } of demultiplex(
      (async function* () {
        yield* pieces;
      })(),
    ))
      heard[stream] += data.toString();
    expect(heard).toEqual({ stdout: 'outend', stderr: 'error' });
  }
});
