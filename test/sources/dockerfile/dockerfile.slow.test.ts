import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LockedImage } from '../../../src/core/lock.ts';
import { dockerfileSource } from '../../../src/sources/dockerfile.ts';
import { openRegistry } from '../../../src/store/registry/registry.ts';
import { imageOf, type TestBlob } from '../../disk/oci/layouts.ts';
import { haveDocker, RealEngine } from '../../machines/docker/real-engine.ts';
import { optionsOf } from '../../provisioners/options.ts';
import { haveRegistry, RealRegistry } from '../../store/registry/real-registry.ts';
import { busyboxMembers } from '../oci/busybox.ts';
import { type SourceContext, sourceContext } from '../oci/context.ts';

const haveBuildah = existsSync('/usr/bin/buildah');
const base = imageOf([busyboxMembers()], { Env: ['PATH=/bin'] });
const pinned = base.manifest.descriptor.digest;

describe.skipIf(!haveBuildah || !haveRegistry)(
  'source dockerfile with real engines and a real registry',
  () => {
    let registry: RealRegistry;
    let name: string;
    beforeAll(async () => {
      registry = await RealRegistry.start();
      name = `${registry.host}/base`;
      const credentials = async () => undefined;
      const store = openRegistry({ host: registry.host, repository: 'base', insecure: true, credentials });
      const push = async ({ descriptor, bytes }: TestBlob) =>
        await store.push(descriptor, () => new Blob([new Uint8Array(bytes)]).stream());
      for (const blob of base.blobs) await push(blob);
      await push(base.manifest);
      await store.tag(base.manifest.descriptor, '1');
    });
    afterAll(async () => await registry?.stop());

    const multiStage = () => `ARG BASE=${name}@${pinned}
FROM $BASE AS tools
ARG WHAT
# a comment
RUN echo "$WHAT" > /made && \\
    echo "$SOURCE_DATE_EPOCH" > /epoch

FROM ${name}@${pinned}
ARG SOURCE_DATE_EPOCH
ENV LANG=xx WHERE=here
COPY --from=tools /made /epoch /srv/
COPY site /srv/site
RUN echo "$SOURCE_DATE_EPOCH" > /srv/date; ln /srv/made /srv/same; mkdir /srv/empty
`;

    function project(text: string): SourceContext {
      const c = sourceContext('dockerfile.web');
      writeFileSync(join(c.dir, 'Dockerfile'), text);
      mkdirSync(join(c.dir, 'site'));
      writeFileSync(join(c.dir, 'site/index.html'), 'hello\n');
      writeFileSync(join(c.dir, 'site/secret'), 'not in the image');
      writeFileSync(join(c.dir, '.dockerignore'), '**/secret\n');
      return c;
    }
    async function pin(c: SourceContext, hcl = '') {
      const options = await optionsOf(
        dockerfileSource,
        `insecure = true\n arguments = { WHAT = "it" }\n ${hcl}`,
      );
      return await dockerfileSource.pin(options as never, c.pin());
    }
    /** Builds, and answers what a shell in the image prints, and the ids of its layers. */
    async function build(c: SourceContext, hcl = '', script = 'true') {
      const { options } = await pin(c, hcl);
      await using machine = await dockerfileSource.start(options, undefined, c.run());
      const result = await machine.communicator.exec(['sh', '-c', script]);
      if (result.exitCode !== 0) throw new Error(result.stderr);
      return {
        stdout: result.stdout,
        layers: machine.chain.map((layer) => layer.id),
        chain: machine.chain,
        options,
      };
    }
    const LOOK = 'cat /srv/made /srv/date; ls /srv /srv/site; echo $WHERE; stat -c %h /srv/same';
    const SEEN =
      'it\n1700000000\n/srv:\ndate\nempty\nepoch\nmade\nsame\nsite\n\n/srv/site:\nindex.html\nhere\n2\n';

    test('buildah: several stages, arguments, context; layers are equal from run to run', async () => {
      using one = project(multiStage());
      using two = project(multiStage());
      const first = await build(one, 'engine = "buildah"', LOOK);
      expect(first.stdout).toBe(SEEN);
      expect(one.lock.entries['dockerfile.web'] as LockedImage).toMatchObject({ date: 1_704_164_645 });
      const second = await build(two, 'engine = "buildah"');
      expect(second.layers).toEqual(first.layers);
      expect(readdirSync(join(one.dir, 'work'))).toEqual([]);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(one.dir);

      // On layers that are there, nothing is built: the registry and the Dockerfile's engine may be away.
      rmSync(join(one.dir, 'cache/buildah'), { recursive: true });
      await using again = await dockerfileSource.start(first.options, first.chain, one.run());
      expect((await again.communicator.exec(['sh', '-c', 'echo $WHERE'])).stdout).toBe('here\n');
      expect(existsSync(join(one.dir, 'cache/buildah'))).toBe(false);
    });

    test.skipIf(!haveDocker)('docker: the same Dockerfile', async () => {
      const before = process.env.DOCKER_HOST;
      const real = await RealEngine.start();
      try {
        process.env.DOCKER_HOST = real.env.DOCKER_HOST;
        using c = project(multiStage());
        const made = await build(c, 'engine = "docker"', LOOK);
        expect(made.stdout).toBe(SEEN);
        expect(await real.engine.json<unknown[]>('/containers/json', { query: { all: 1 } })).toEqual([]);
      } finally {
        if (before === undefined) delete process.env.DOCKER_HOST;
        else process.env.DOCKER_HOST = before;
        await real.stop();
      }
    });

    test('a stage can be the target', async () => {
      using c = project(multiStage());
      const { stdout } = await build(c, 'target = "tools"', 'cat /made; test ! -e /srv');
      expect(stdout).toBe('it\n');
    });

    test('an image without digest is refused, and the digest to write is said', async () => {
      using c = project(`FROM ${name}:1\n`);
      const error = await pin(c).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'source/unpinned-image' });
      expect((error as { hint: string }).hint).toContain(`line 1: write ${name}:1@${pinned}`);
      const { options } = await pin(c, 'allow_unpinned = true');
      expect(options.pinned?.text).toBe(`FROM ${name}@${pinned}\n`);
      expect((c.lock.entries['dockerfile.web'] as LockedImage).manifest.digest).toBe(pinned);
    });

    test.each<[string, () => string, RegExp]>([
      [
        'a registry that is away',
        () => 'FROM 127.0.0.1:1/base:1\n',
        /source\/unpinned-image.*digest is not known/s,
      ],
      ['a digest that is not there', () => `FROM ${name}@sha256:${'0'.repeat(64)}\n`, /store\/not-found/],
      [
        'a step that fails',
        () => `FROM ${name}@${pinned}\nRUN echo why >&2; exit 3\n`,
        /source\/build-failed.*why/s,
      ],
      [
        'a file that is not there',
        () => `FROM ${name}@${pinned}\nCOPY nowhere /\n`,
        /source\/build-failed.*nowhere/s,
      ],
    ])('%s', async (_what, text, message) => {
      using c = project(text());
      const error = (await build(c).catch((e: unknown) => e)) as {
        code: string;
        hint: string;
        output: string[];
      };
      expect(`${error.code} ${error.hint} ${error.output.join('\n')}`).toMatch(message);
      expect(readdirSync(join(c.dir, 'work'))).toEqual([]);
      expect(existsSync(join(c.dir, 'cache/layers')) ? readdirSync(join(c.dir, 'cache/layers')) : []).toEqual(
        [],
      );
    });

    test('a layer that was cut short in the registry', async () => {
      const layer = base.blobs[1]?.descriptor.digest.slice(7) ?? '';
      truncateSync(registry.blobPath(layer), 1000);
      using c = project(`FROM ${name}@${pinned}\nRUN true\n`);
      await expect(build(c, 'engine = "buildah"')).rejects.toMatchObject({ code: 'source/build-failed' });
      expect(existsSync(join(c.dir, 'cache/layers')) ? readdirSync(join(c.dir, 'cache/layers')) : []).toEqual(
        [],
      );
    });
  },
);
