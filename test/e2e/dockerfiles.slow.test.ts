import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { imageOf, type TestBlob } from '../disk/oci/layouts.ts';
import { haveDocker, RealEngine } from '../machines/docker/real-engine.ts';
import { busyboxMembers } from '../sources/oci/busybox.ts';
import { openRegistry } from '../../src/store/registry/registry.ts';
import { haveRegistry, RealRegistry } from '../store/registry/real-registry.ts';
import { finished, Workspace } from './ingot.ts';

// Images of a Dockerfile, by the real buildah and a real Docker engine: what it says of its containers is in the image
// that we write, and a build that is killed leaves nothing.

const haveBuildah = existsSync('/usr/bin/buildah');
const base = imageOf([busyboxMembers()], { Env: ['PATH=/bin', 'FROM_BASE=1'], Cmd: ['/bin/base'] });

interface Configuration {
  readonly config: Readonly<Record<string, unknown>> & { readonly Labels: Readonly<Record<string, string>> };
}

const missing = [...(haveBuildah ? [] : ['buildah']), ...(haveRegistry ? [] : ['a registry'])].join(' and ');
describe.skipIf(missing !== '')(`a Dockerfile${missing && ` (skipped: there is no ${missing})`}`, () => {
  let registry: RealRegistry;
  let from: string;
  let ws: Workspace;
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(ws.path(path)), { recursive: true });
    writeFileSync(ws.path(path), text);
  };
  const image = (...outputs: string[]): string =>
    `image "web" {\n  version = "1.0.0"\n${outputs.map((o) => `  output ${o}\n`).join('')}}\n`;
  const template = (source: string, script: string): string => `${source}
build {
  sources = ["${/source "(\w+)" "(\w+)"/.exec(source)?.slice(1).join('.')}"]
  provisioner "shell" {
    inline = ["${script}"]
  }
}
`;
  const SOURCE = 'source "dockerfile" "web" {\n  insecure = true\n  engine   = "buildah"\n}\n';

  beforeAll(async () => {
    registry = await RealRegistry.start();
    const credentials = async () => undefined;
    const store = openRegistry({ host: registry.host, repository: 'base', insecure: true, credentials });
    for (const { descriptor, bytes } of [...base.blobs, base.manifest] satisfies TestBlob[])
      await store.push(descriptor, () => new Blob([new Uint8Array(bytes)]).stream());
    from = `${registry.host}/base@${base.manifest.descriptor.digest}`;
    ws = new Workspace();
  });
  afterAll(async () => {
    ws?.remove();
    await registry?.stop();
  });
  beforeEach(() => {
    rmSync(ws.project, { recursive: true });
    mkdirSync(ws.project);
  });
  afterEach(() => {
    expect(ws.residue()).toEqual([]);
  });

  /** The configuration in an archive that we wrote. */
  function configurationOf(file: string): Configuration {
    const read = (path: string): never =>
      JSON.parse(execFileSync('tar', ['-xOf', file, path], { encoding: 'utf8' })) as never;
    const blobOf = ({ digest }: { digest: string }): string => `blobs/sha256/${digest.slice(7)}`;
    const { manifests } = read('index.json') as { manifests: [{ digest: string }] };
    const { config } = read(blobOf(manifests[0])) as { config: { digest: string } };
    return read(blobOf(config));
  }

  const DOCKERFILE = `SHELL ["/bin/sh", "-euxc"]
RUN case $- in *x*) echo shell > /shell;; esac
RUN mkdir -p /etc/ssh && echo key > /etc/ssh/ssh_host_rsa_key
ENV MODE=fast PATH=/app/bin:/bin
EXPOSE 8080 53/udp
VOLUME /data
WORKDIR /app
LABEL org.example.team="web" org.opencontainers.image.version="base"
STOPSIGNAL SIGQUIT
USER 1000:1000
HEALTHCHECK --interval=5s --retries=2 CMD wget -q -O - http://127.0.0.1:8080/
ENTRYPOINT ["/app/bin/serve"]
CMD ["--port", "8080"]
`;
  /** What the Dockerfile says, in every image that stands on it. */
  const SAID = {
    User: '1000:1000',
    Env: ['FROM_BASE=1', 'MODE=fast', 'PATH=/app/bin:/bin'],
    ExposedPorts: { '53/udp': {}, '8080/tcp': {} },
    Volumes: { '/data': {} },
    WorkingDir: '/app',
    StopSignal: 'SIGQUIT',
    Entrypoint: ['/app/bin/serve'],
    Cmd: ['--port', '8080'],
    Healthcheck: { Interval: 5e9, Retries: 2, Test: ['CMD-SHELL', 'wget -q -O - http://127.0.0.1:8080/'] },
  };

  test('says how its containers run: so do the image, and what stands on that; the rest is sealed', async () => {
    write('Dockerfile', `FROM ${from}\n${DOCKERFILE}`);
    write('web.pkr.hcl', template(SOURCE, 'test -f /shell && echo $MODE > /etc/mode'));
    write('web.ingot.hcl', image('"oci" {}', '"rootfs" {}'));
    const { images } = await ws.build();
    const pathOf = (format: string): string =>
      images[0]?.outputs.find((o) => o.format === format)?.path as string;
    const { config } = configurationOf(pathOf('oci'));
    expect(config).toMatchObject(SAID);
    expect(config.Labels).toMatchObject({
      'org.example.team': 'web',
      'org.opencontainers.image.version': '1.0.0',
    });
    expect(Object.keys(config.Labels).filter((label) => label.includes('buildah'))).toEqual([]);
    const files = execFileSync('tar', ['--zstd', '-tf', pathOf('rootfs')], { encoding: 'utf8' });
    expect(files).toContain('./etc/mode\n');
    expect(files).not.toContain('ssh_host_rsa_key');
    expect((await ws.build()).images[0]?.steps.ran).toBe(0);

    // An image that stands on the one just written, with words of its own.
    mkdirSync(ws.path('next'));
    execFileSync('cp', [pathOf('oci'), ws.path('next/web.tar')]);
    write(
      'next/next.pkr.hcl',
      template('source "oci" "next" {\n  image = "oci-archive:web.tar"\n}\n', 'true'),
    );
    const own = `"oci" {
    entrypoint = ["/bin/other"]
    env        = { MODE = "slow", NEW = "1" }
    user       = "0"
    labels     = { "org.example.team" = "ops" }
  }`;
    write('next/next.ingot.hcl', image(own).replace('"web"', '"next"'));
    const { exitCode, stdout, stderr } = await ws.run('build', '--json', 'next');
    expect(exitCode, stderr).toBe(0);
    const report = JSON.parse(stdout) as { images: [{ outputs: [{ path: string }] }] };
    const { Cmd: _, ...kept } = SAID;
    const next = configurationOf(report.images[0].outputs[0].path).config;
    expect(next).toMatchObject({
      ...kept,
      Entrypoint: ['/bin/other'],
      Env: ['FROM_BASE=1', 'MODE=slow', 'PATH=/app/bin:/bin', 'NEW=1'],
      User: '0',
    });
    expect(next.Cmd).toBeUndefined();
    expect(next.Labels['org.example.team']).toBe('ops');
  });

  test('without a kernel makes no disk, and says what to do', async () => {
    write('Dockerfile', `FROM ${from}\n`);
    write('web.pkr.hcl', template(SOURCE, 'true'));
    write('web.ingot.hcl', image('"oci" {}', '"qcow2" {}'));
    const { exitCode, stderr } = await ws.run('build', '.');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('[disk/no-kernel]');
    expect(stderr).toMatch(/hint: .*linux-image/);
  });

  const processes = (pattern: RegExp): string[] =>
    execFileSync('ps', ['ax', '-o', 'args='], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => pattern.test(line));

  test('killed while buildah runs an instruction, and while a provisioner runs', async () => {
    write('Dockerfile', `FROM ${from}\nRUN echo one > /one\nRUN sleep 1009\n`);
    write('web.pkr.hcl', template(SOURCE, 'sleep 1010'));
    write('web.ingot.hcl', image('"rootfs" {}'));
    const killed = async (sleeping: RegExp): Promise<void> => {
      const build = ws.start('build', '.');
      const ended = finished(build);
      await vi.waitUntil(() => processes(sleeping).length > 0, { timeout: 120_000 });
      process.kill(build.pid as number, 'SIGKILL');
      await ended;
      const cleaned = await ws.run('clean');
      expect(cleaned.exitCode, cleaned.stderr).toBe(0);
      expect(processes(sleeping)).toEqual([]);
      expect(ws.residue()).toEqual([]);
    };
    await killed(/^sleep 1009/);
    write('Dockerfile', `FROM ${from}\nRUN echo one > /one\nRUN echo two > /two\n`);
    await killed(/^sleep 1010/);
    write('web.pkr.hcl', template(SOURCE, 'cat /one /two > /both'));
    const { images } = await ws.build();
    const rootfs = images[0]?.outputs[0]?.path as string;
    expect(execFileSync('tar', ['--zstd', '-xOf', rootfs, './both'], { encoding: 'utf8' })).toBe(
      'one\ntwo\n',
    );
  });

  test('all of it goes with clean --all', async () => {
    expect((await ws.run('clean', '--all')).exitCode).toBe(0);
    expect(readdirSync(ws.env.INGOT_CACHE_DIR as string)).toEqual([]);
  });

  describe.skipIf(!haveDocker)(
    `and the Docker engine${haveDocker ? '' : ' (skipped: there is no dockerd)'}`,
    () => {
      let real: RealEngine;
      const docker = (commands: string): string =>
        template(
          `source "docker" "web" {
  image       = "base:1"
  pull        = false
  commit      = true
  run_command = ["-d", "-i", "--network=none", "--entrypoint=/bin/sh", "{{.Image}}"]
}
`,
          commands,
        );
      const containers = (): Promise<unknown[]> =>
        real.engine.json<unknown[]>('/containers/json', { query: { all: 1 } });
      beforeAll(async () => {
        real = await RealEngine.start();
        await real.import(busyboxMembers(), 'base:1');
        Object.assign(ws.env, real.env);
      });
      afterAll(() => real?.stop());

      test('killed while a provisioner runs in its container, and while it builds', async () => {
        write('web.pkr.hcl', docker('sleep 1011'));
        const killed = async (args: readonly string[]): Promise<void> => {
          const build = ws.start('build', ...args, '.');
          const ended = finished(build);
          await vi.waitUntil(() => processes(/sleep 1011/).length > 0, { timeout: 120_000 });
          process.kill(build.pid as number, 'SIGKILL');
          await ended;
          await vi.waitUntil(async () => (await containers()).length === 0, { timeout: 60_000 });
          expect((await ws.run('clean')).exitCode).toBe(0);
          expect(processes(/sleep 1011/)).toEqual([]);
        };
        await killed([]);
        write('Dockerfile', `FROM ${from}\nRUN sleep 1011\n`);
        write('web.pkr.hcl', template(SOURCE.replace('buildah', 'docker'), 'true'));
        await killed([]);
        write('web.pkr.hcl', docker('echo done > /done'));
        expect((await ws.run('build', '.')).exitCode).toBe(0);
      });

      test('an image file asks for more than an engine’s own image can be: refused, with the sources that can', async () => {
        write('web.pkr.hcl', docker('true'));
        write('web.ingot.hcl', image('"oci" {}', '"qcow2" {}'));
        const { exitCode, stderr } = await ws.run('build', '.');
        expect(exitCode).toBe(2);
        expect(stderr.match(/plan\/no-filesystem/g)).toHaveLength(2);
        expect(stderr).toMatch(/source "oci" or "dockerfile"/);
      });

      test('that is away', async () => {
        write('web.pkr.hcl', docker('true'));
        const by = ['env', 'DOCKER_HOST=unix:///no/such/docker.sock'];
        const { exitCode, stderr } = await ws.runBy(by, 'build', '.');
        expect(exitCode).toBe(1);
        expect(stderr).toContain('[machine/docker-unreachable]');
        expect(stderr).toContain('/no/such/docker.sock');
      });
    },
  );

  test('from a registry that is away', async () => {
    write('Dockerfile', 'FROM 127.0.0.1:1/base:1\n');
    write('web.pkr.hcl', template(SOURCE.replace('}\n', '  allow_unpinned = true\n}\n'), 'true'));
    const { exitCode, stderr } = await ws.run('build', '.');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('[store/unreachable]');
    expect(stderr).toContain('127.0.0.1:1');
    expect(existsSync(join(ws.project, 'ingot.lock.json'))).toBe(false);
  });
});
