import { isAbsolute, join } from 'node:path';
import { fillString } from '../../template/index.ts';
import type { DockerContainerOptions } from '../../machines/docker.ts';
import { parseRunCommand } from '../../machines/docker/run-command.ts';
import type { DockerOptions } from './options.ts';

/** What the engine's `POST /containers/create` takes for an image (Docker Engine API, "ContainerCreate"). */
export function containerOf(
  o: DockerOptions,
  image: string,
  templateDir: string,
): Pick<DockerContainerOptions, 'create' | 'name'> {
  const args = o.run_command.map((arg) => fillString(arg, { Image: image }, 'run_command'));
  const run = parseRunCommand(args, image);
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(templateDir, path));
  const volumes = Object.entries(o.volumes).map(([from, to]) => `${absolute(from)}:${to}`);
  const create = {
    Image: image,
    ...(run.entrypoint !== undefined && { Entrypoint: run.entrypoint === '' ? [] : [run.entrypoint] }),
    ...(run.cmd.length > 0 && { Cmd: run.cmd }),
    Env: run.env,
    ...(run.user !== undefined && { User: run.user }),
    ...(run.workingDir !== undefined && { WorkingDir: run.workingDir }),
    ...(run.hostname !== undefined && { Hostname: run.hostname }),
    HostConfig: {
      Privileged: o.privileged || run.privileged,
      CapAdd: [...o.cap_add, ...run.capAdd],
      CapDrop: [...o.cap_drop, ...run.capDrop],
      Binds: [...volumes, ...run.volumes],
      Devices: o.device.map(deviceOf),
      Tmpfs: Object.fromEntries([...o.tmpfs, ...run.tmpfs].map((text) => splitOnce(text))),
      ...(o.runtime !== undefined && { Runtime: o.runtime }),
      ...(run.network !== undefined && { NetworkMode: run.network }),
      ...(run.cgroupns !== undefined && { CgroupnsMode: run.cgroupns }),
      ...(run.init && { Init: true }),
      ExtraHosts: run.hosts,
      Dns: run.dns,
      SecurityOpt: run.securityOpt,
    },
  };
  return { create, ...(run.name !== undefined && { name: run.name }) };
}

function deviceOf(text: string): Record<string, string> {
  const [host = '', ...rest] = text.split(':');
  const inside = rest.find((part) => part.startsWith('/')) ?? host;
  const permissions = rest.find((part) => !part.startsWith('/')) ?? 'rwm';
  return { PathOnHost: host, PathInContainer: inside, CgroupPermissions: permissions };
}

function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}
