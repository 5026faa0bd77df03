import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shellLocalPostProcessor } from '../../src/post-processors/shell-local.ts';
import { ArtifactFiles } from './artifact-files.ts';

let files: ArtifactFiles;
beforeEach(() => {
  files = new ArtifactFiles();
});
afterEach(() => files.clean());

test('runs here with the names of the build, and passes the artifact on', async () => {
  const artifact = files.artifact({ a: '' });
  const hcl = 'inline = ["echo $PACKER_BUILD_NAME $PACKER_BUILDER_TYPE $PACKER_RUN_UUID > out"]';
  expect(await files.process(shellLocalPostProcessor, hcl, artifact)).toEqual({
    artifact,
    keep: true,
    mustKeep: true,
  });
  expect(readFileSync(join(files.dir, 'out'), 'utf8')).toBe('web file uuid\n');
});

test('a failure is told with its exit code', async () => {
  await expect(
    files.process(shellLocalPostProcessor, 'inline = ["exit 3"]', files.artifact({})),
  ).rejects.toMatchObject({ code: 'provisioner/script-failed' });
});
