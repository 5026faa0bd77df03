import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dockerImportPostProcessor as plugin } from '../../src/post-processors/docker-import.ts';
import { FakeEngine } from '../machines/docker/fake-engine.ts';
import { optionsOf } from '../provisioners/options.ts';
import { dockerContext } from './docker-context.ts';

const artifact = (...files: string[]) => ({ builderId: 'packer.docker', id: 'x', files, description: 'x' });

test('the archive is sent, with its name and every change', async () => {
  await using engine = await FakeEngine.start(() => ({ text: '{"status":"sha256:12"}\n' }));
  const file = join(engine.dir, 'root.tar');
  writeFileSync(file, 'bytes of the archive');
  const options = await optionsOf(plugin, 'repository = "r/x"\n tag = "1"\n changes = ["ENV A=1", "USER b"]');
  const made = await plugin.process(artifact(file), options as never, dockerContext);
  const [asked] = engine.asked;
  expect(asked?.body).toBe('bytes of the archive');
  expect(asked?.query.getAll('changes')).toEqual(['ENV A=1', 'USER b']);
  expect([asked?.query.get('repo'), asked?.query.get('tag')]).toEqual(['r/x', '1']);
  expect(made.artifact).toMatchObject({ id: 'r/x:1', metadata: { image: 'sha256:12' } });
});

test.each([0, 2])('%i files are refused', async (count) => {
  const options = await optionsOf(plugin, 'repository = "r/x"');
  const files = Array.from({ length: count }, (_, i) => `/${i}`);
  await expect(plugin.process(artifact(...files), options as never, dockerContext)).rejects.toMatchObject({
    code: 'post-processor/not-one-archive',
  });
});
