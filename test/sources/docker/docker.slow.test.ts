import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Artifact } from '../../../src/core/artifact.ts';
import type { PostProcessor } from '../../../src/core/plugin.ts';
import { openRegistry } from '../../../src/store/registry/registry.ts';
import { dockerImportPostProcessor } from '../../../src/post-processors/docker-import.ts';
import { dockerPushPostProcessor } from '../../../src/post-processors/docker-push.ts';
import { dockerSavePostProcessor } from '../../../src/post-processors/docker-save.ts';
import { dockerTagPostProcessor } from '../../../src/post-processors/docker-tag.ts';
import { dockerSource } from '../../../src/sources/docker.ts';
import type { DockerOptions } from '../../../src/sources/docker/options.ts';
import { haveDocker, RealEngine } from '../../machines/docker/real-engine.ts';
import { optionsOf } from '../../provisioners/options.ts';
import { haveRegistry, RealRegistry } from '../../store/registry/real-registry.ts';
import { busyboxMembers } from '../oci/busybox.ts';
import { type SourceContext, sourceContext } from '../oci/context.ts';

interface Inspected {
  readonly Author: string;
  readonly Comment: string;
  readonly Config: { readonly Env: string[]; readonly Cmd: string[] | null };
}

describe.skipIf(!haveDocker)('source docker on a real engine', () => {
  let real: RealEngine;
  let c: SourceContext;
  const before = process.env.DOCKER_HOST;
  beforeAll(async () => {
    real = await RealEngine.start();
    c = sourceContext('docker.web');
    process.env.DOCKER_HOST = real.env.DOCKER_HOST;
    await real.import(busyboxMembers(), 'base:1');
  });
  afterAll(async () => {
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
    await real?.stop();
    c?.[Symbol.dispose]();
  });

  async function run(hcl: string, script: string): Promise<Artifact> {
    const options = (await optionsOf(dockerSource, hcl)) as DockerOptions;
    await using machine = await dockerSource.start(options, undefined, c.run());
    const result = await machine.communicator.exec(['sh', '-c', script]);
    if (result.exitCode !== 0) throw new Error(result.stderr);
    return await machine.finish();
  }
  async function process_<O>(plugin: PostProcessor<O>, artifact: Artifact, hcl: string) {
    return await plugin.process(artifact, (await optionsOf(plugin, hcl)) as O, c.run());
  }
  const base =
    'image = "base:1"\n pull = false\n run_command = ["-d", "-i", "--network=none", "--entrypoint=/bin/sh", "{{.Image}}"]\n';

  test('commit makes an image, with its changes', async () => {
    const artifact = await run(
      `${base} commit = true\n author = "A"\n message = "M"\n changes = ["ENV X=1", "CMD [\\"/bin/true\\"]"]`,
      'echo hello > /etc/motd',
    );
    expect(artifact).toMatchObject({ builderId: 'packer.post-processor.docker-import', files: [] });
    expect(artifact.id).toMatch(/^sha256:[0-9a-f]{64}$/);
    const image = await real.engine.json<Inspected>(`/images/${artifact.id}/json`);
    expect(image).toMatchObject({ Author: 'A', Comment: 'M', Config: { Cmd: ['/bin/true'] } });
    expect(image.Config.Env).toContain('X=1');
    expect(await real.engine.json<unknown[]>('/containers/json', { query: { all: 1 } })).toEqual([]);
  });

  test('volumes, devices, capabilities and folders in memory', async () => {
    mkdirSync(join(c.dir, 'shared'), { recursive: true });
    const script = 'echo in > /mnt/file && test -c /dev/mine && mount | grep -q "/scratch type tmpfs"';
    const artifact = await run(
      `${base} discard = true\n volumes = { "shared" = "/mnt" }\n device = ["/dev/zero:/dev/mine:r"]\n tmpfs = ["/scratch:size=1m"]\n cap_add = ["NET_ADMIN"]`,
      script,
    );
    expect(artifact).toMatchObject({ builderId: 'packer.docker', files: [] });
    expect(readFileSync(join(c.dir, 'shared/file'), 'utf8')).toBe('in\n');
  });

  test('options of run_command reach the engine', async () => {
    const hcl =
      'image = "base:1"\n pull = false\n discard = true\n run_command = ["-d", "--name", "by-name", "--init", "--network=none", "--tmpfs", "/scratch:size=1m", "--cap-drop=MKNOD", "--security-opt=seccomp=unconfined", "--entrypoint=/bin/sh", "{{.Image}}"]';
    const options = (await optionsOf(dockerSource, hcl)) as DockerOptions;
    await using machine = await dockerSource.start(options, undefined, c.run());
    const made = await real.engine.json<{ HostConfig: object }>('/containers/by-name/json');
    expect(made.HostConfig).toMatchObject({ Init: true, CapDrop: ['MKNOD'] });
    const { exitCode } = await machine.communicator.exec([
      'sh',
      '-c',
      'mount | grep -q "/scratch type tmpfs"',
    ]);
    expect(exitCode).toBe(0);
  });

  test('an image is built first', async () => {
    mkdirSync(join(c.dir, 'ctx'), { recursive: true });
    writeFileSync(join(c.dir, 'ctx/Dockerfile'), 'FROM base:1\nARG WHO\nCOPY given /given\nENV WHO=$WHO\n');
    writeFileSync(join(c.dir, 'ctx/given'), 'from the context');
    const hcl =
      'build {\n path = "ctx/Dockerfile"\n build_dir = "ctx"\n arguments = { WHO = "me" }\n pull = false\n }\n commit = true\n run_command = ["--network=none", "--entrypoint=/bin/sh", "{{.Image}}"]';
    await run(hcl, 'test "$(cat /given)" = "from the context"');
  });

  describe('an image that is not run as root', () => {
    beforeAll(() => {
      mkdirSync(join(c.dir, 'app/tree/sub'), { recursive: true });
      writeFileSync(join(c.dir, 'app/tree/sub/file'), 'x');
      writeFileSync(
        join(c.dir, 'app/Dockerfile'),
        [
          'FROM base:1',
          'RUN echo app:x:1234:1235::/home/app:/bin/sh >> /etc/passwd && echo web:x:1236: >> /etc/group',
          'ENV PATH=/opt/tool/bin:/bin LANG=de_DE.UTF-8',
          'WORKDIR /srv/app',
          'USER app',
        ].join('\n'),
      );
    });
    const built =
      'build {\n path = "app/Dockerfile"\n pull = false\n }\n discard = true\n run_command = ["--network=none", "--entrypoint=/bin/sh", "{{.Image}}"]';
    const start = async (more: string) =>
      await dockerSource.start(
        (await optionsOf(dockerSource, built + more)) as DockerOptions,
        undefined,
        c.run(),
      );

    test.each([
      ['', '1234:1235 /srv/app /opt/tool/bin:/bin de_DE.UTF-8 /home/app app\n'],
      ['\n exec_user = "root"', '0:0 /srv/app /opt/tool/bin:/bin de_DE.UTF-8 /root root\n'],
      ['\n exec_user = "1234"', '1234:1235 /srv/app /opt/tool/bin:/bin de_DE.UTF-8 /home/app \n'],
      ['\n exec_user = "app:web"', '1234:1236 /srv/app /opt/tool/bin:/bin de_DE.UTF-8 /home/app app\n'],
      ['\n exec_user = "77:78"', '77:78 /srv/app /opt/tool/bin:/bin de_DE.UTF-8 / \n'],
    ])('commands%s', async (more, told) => {
      await using machine = await start(more);
      const script = 'echo "$(id -u):$(id -g) $PWD $PATH $LANG $HOME $USER"';
      expect(await machine.communicator.exec(['sh', '-c', script])).toMatchObject({
        stdout: told,
        exitCode: 0,
      });
    });

    test('what is uploaded belongs to its user', async () => {
      await using machine = await start('');
      const { communicator } = machine;
      await communicator.uploadBytes('x', '/tmp/bytes', { mode: 0o600 });
      await communicator.upload(join(c.dir, 'app/tree/sub/file'), '/srv/app/file');
      await communicator.uploadDirectory(join(c.dir, 'app/tree/'), '/made');
      const paths = '/tmp/bytes /srv/app/file /made /made/sub /made/sub/file /srv';
      const { stdout } = await communicator.exec([
        'sh',
        '-c',
        `stat -c '%u:%g %n' ${paths} && rm /tmp/bytes`,
      ]);
      expect(stdout.trim().split('\n')).toEqual(
        paths.split(' ').map((path) => `${path === '/srv' ? '0:0' : '1234:1235'} ${path}`),
      );
    });
  });

  test('a container is left as an image, for a look at what failed', async () => {
    const options = (await optionsOf(dockerSource, `${base} discard = true`)) as DockerOptions;
    const machine = await dockerSource.start(options, undefined, c.run());
    await machine.communicator.exec(['sh', '-c', 'echo found > /var/trace']);
    const left = await machine.leave?.();
    const image = /ingot-left:[0-9a-f]{12}$/.exec(left?.look ?? '')?.[0] as string;
    expect(left?.fate).toContain(`docker rmi ${image}`);
    expect(await real.engine.json<unknown[]>('/containers/json', { query: { all: 1 } })).toEqual([]);
    const again = base.replace('base:1', image);
    await run(`${again} discard = true`, 'test "$(cat /var/trace)" = found');
  });

  test('export, import, tag, save', async () => {
    const exported = await run(`${base} export_path = "out/x.tar"`, 'echo exported > /etc/motd');
    expect(exported.files).toEqual([join(c.dir, 'out/x.tar')]);
    expect(execFileSync('tar', ['-xOf', exported.files[0] as string, 'etc/motd'], { encoding: 'utf8' })).toBe(
      'exported\n',
    );
    const imported = await process_(
      dockerImportPostProcessor,
      exported,
      'repository = "again"\n tag = "2"\n changes = ["ENV A=b", "ENV C=d"]',
    );
    expect(imported.artifact).toMatchObject({
      id: 'again:2',
      builderId: 'packer.post-processor.docker-import',
    });
    const image = await real.engine.json<Inspected>('/images/again:2/json');
    expect(image.Config.Env).toEqual(expect.arrayContaining(['A=b', 'C=d']));
    const tagged = await process_(
      dockerTagPostProcessor,
      imported.artifact,
      'repository = "named"\n tags = ["a", "b"]',
    );
    expect(tagged).toMatchObject({ mustKeep: true, artifact: { id: 'named:b' } });
    const saved = await process_(dockerSavePostProcessor, tagged.artifact, 'path = "out/saved.tar"');
    const manifest = execFileSync('tar', ['-xOf', saved.artifact.files[0] as string, 'manifest.json'], {
      encoding: 'utf8',
    });
    expect((JSON.parse(manifest) as { RepoTags: string[] }[])[0]?.RepoTags).toEqual(['named:a', 'named:b']);
  });

  test.skipIf(!haveRegistry)('push to a real registry', async () => {
    const registry = await RealRegistry.start();
    try {
      const artifact = await run(`${base} commit = true`, 'true');
      const tagged = await process_(
        dockerTagPostProcessor,
        artifact,
        `repository = "${registry.host}/team/web"\n tags = ["1", "2"]`,
      );
      const pushed = await process_(dockerPushPostProcessor, tagged.artifact, '');
      const store = openRegistry({
        host: registry.host,
        repository: 'team/web',
        insecure: true,
        credentials: async () => undefined,
      });
      const [one, two] = [await store.resolve('1'), await store.resolve('2')];
      expect(one?.digest).toBe(pushed.artifact.metadata?.Digest);
      expect(two?.digest).toBe(one?.digest);
    } finally {
      await registry.stop();
    }
  });

  test.each<[string, string, string]>([
    [
      'an image that is not there',
      'image = "nowhere:1"\n pull = false\n discard = true',
      'machine/docker-not-found',
    ],
    [
      'a registry that cannot be reached',
      'image = "127.0.0.1:1/a:1"\n discard = true',
      'machine/docker-refused',
    ],
    [
      'an option of docker run that means nothing',
      'image = "base:1"\n pull = false\n discard = true\n run_command = ["--gpus=all", "{{.Image}}"]',
      'source/run-command',
    ],
  ])('%s', async (_what, hcl, code) => {
    await expect(run(hcl, 'true')).rejects.toMatchObject({ code });
  });

  test('an export that fails leaves no file', async () => {
    writeFileSync(join(c.dir, 'plain'), '');
    await expect(run(`${base} export_path = "plain/x.tar"`, 'true')).rejects.toThrow();
    expect(existsSync(join(c.dir, 'plain/x.tar'))).toBe(false);
  });
});
