import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DockerEngine } from '../../../src/machines/docker/engine.ts';
import { startDockerContainer } from '../../../src/machines/docker.ts';
import { describeMachine } from '../../conformance/machine.ts';
import { type SourceContext, sourceContext } from '../../sources/oci/context.ts';
import { haveDocker, RealEngine } from './real-engine.ts';

const create = { Image: 'debian:test', Entrypoint: ['/bin/sh'], HostConfig: { NetworkMode: 'none' } };

describe.skipIf(!haveDocker)('a real Docker engine (package docker.io)', () => {
  let real: RealEngine;
  let c: SourceContext;
  beforeAll(async () => {
    real = await RealEngine.start();
    c = sourceContext('docker.web');
    const dir = mkdtempSync(join(tmpdir(), 'ingot-docker-base-'));
    try {
      const given = process.env.INGOT_TEST_BASE;
      if (given) execFileSync('tar', ['-C', given, '-cf', join(dir, 'base.tar'), '.']);
      else execFileSync('mmdebstrap', ['--quiet', '--variant=minbase', 'bookworm', join(dir, 'base.tar')]);
      const tar = spawn('cat', [join(dir, 'base.tar')], { stdio: ['ignore', 'pipe', 'ignore'] });
      await real.importTar(tar.stdout, create.Image);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
  afterAll(async () => {
    await real?.stop();
    c?.[Symbol.dispose]();
  });

  const start = () =>
    startDockerContainer(
      real.engine,
      {
        create,
        generated: new Map(),
        finish: async (id) => ({ builderId: 'test', id, files: [], description: '' }),
      },
      c.run(),
    );

  describeMachine('a Docker container', start);

  test('the container is gone when its machine is, and when its process is', async () => {
    const containers = async (): Promise<number> =>
      (await real.engine.json<unknown[]>('/containers/json', { query: { all: 1 } })).length;
    {
      await using _machine = await start();
      expect(await containers()).toBe(1);
    }
    expect(await containers()).toBe(0);
  });
});

test('an engine that is not there', async () => {
  const engine = new DockerEngine({ DOCKER_HOST: 'unix:///no/such/socket' });
  await expect(engine.request('/_ping')).rejects.toMatchObject({ code: 'machine/docker-unreachable' });
  expect(() => new DockerEngine({ DOCKER_HOST: 'tcp://127.0.0.1:1' })).toThrow('expected unix://PATH');
});
