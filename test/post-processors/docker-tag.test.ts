import { expect, test } from 'vitest';
import { dockerTagPostProcessor as plugin } from '../../src/post-processors/docker-tag.ts';
import { FakeEngine } from '../machines/docker/fake-engine.ts';
import { optionsOf } from '../provisioners/options.ts';
import { dockerContext, imageArtifact } from './docker-context.ts';

const run = async (hcl: string, artifact = imageArtifact('a:1')) =>
  await plugin.process(artifact, (await optionsOf(plugin, hcl)) as never, dockerContext);

test.each<[string, string, string[], string]>([
  ['every tag is set', 'repository = "r/x"\n tags = ["1", "2"]', ['1', '2'], 'r/x:2'],
  ['the old key adds to the new', 'repository = "r/x"\n tags = ["1"]\n tag = ["0"]', ['1', '0'], 'r/x:0'],
  ['latest without tags', 'repository = "r/x"', ['latest'], 'r/x'],
])('%s', async (_what, hcl, tags, id) => {
  await using engine = await FakeEngine.start();
  const { artifact, mustKeep } = await run(hcl);
  expect(engine.asked.map(({ path }) => path)).toEqual(tags.map(() => '/images/a:1/tag'));
  expect(engine.asked.map(({ query }) => [query.get('repo'), query.get('tag')])).toEqual(
    tags.map((tag) => ['r/x', tag]),
  );
  expect([artifact.id, mustKeep]).toEqual([id, true]);
  engine.asked.length = 0;
  await artifact.discard?.();
  expect(engine.asked.map(({ method, path }) => `${method} ${path}`)).toEqual(
    tags.map((tag) => `DELETE /images/r/x:${tag}`),
  );
});

test('what is no image is refused', async () => {
  const file = { builderId: 'packer.file', id: 'x', files: ['x'], description: 'a file' };
  await expect(run('repository = "r"', file)).rejects.toMatchObject({
    code: 'post-processor/no-docker-image',
  });
});

test('an engine that refuses is quoted', async () => {
  await using _engine = await FakeEngine.start(() => ({ status: 409, text: '{"message":"is in use"}' }));
  await expect(run('repository = "r"')).rejects.toThrow(/\(409\): is in use/);
});
