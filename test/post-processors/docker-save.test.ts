import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dockerSavePostProcessor as plugin } from '../../src/post-processors/docker-save.ts';
import { FakeEngine } from '../machines/docker/fake-engine.ts';
import { optionsOf } from '../provisioners/options.ts';
import { dockerContext, imageArtifact } from './docker-context.ts';

test('all names of the image are saved in one file', async () => {
  await using engine = await FakeEngine.start(() => ({ text: 'archive' }));
  const path = join(engine.dir, 'out/web.tar');
  const options = await optionsOf(plugin, `path = "${path}"`);
  const { artifact } = await plugin.process(imageArtifact('a:1', 'a:2'), options as never, dockerContext);
  expect(engine.asked[0]?.query.getAll('names')).toEqual(['a:1', 'a:2']);
  expect(readFileSync(path, 'utf8')).toBe('archive');
  expect(artifact.files).toEqual([path]);
});

test('a refusal leaves no file', async () => {
  await using engine = await FakeEngine.start(() => ({ status: 404, text: '{"message":"no such image"}' }));
  const options = await optionsOf(plugin, `path = "${join(engine.dir, 'out/web.tar')}"`);
  await expect(plugin.process(imageArtifact('a:1'), options as never, dockerContext)).rejects.toMatchObject({
    code: 'machine/docker-not-found',
  });
  expect(existsSync(join(engine.dir, 'out')) ? readdirSync(join(engine.dir, 'out')) : []).toEqual([]);
});
