import { afterEach, beforeEach, expect, test } from 'vitest';
import { artificePostProcessor } from '../../src/post-processors/artifice.ts';
import { optionsOf } from '../provisioners/options.ts';
import { ArtifactFiles } from './artifact-files.ts';

let files: ArtifactFiles;
beforeEach(() => {
  files = new ArtifactFiles();
  files.artifact({ 'a.deb': '', 'b.deb': '', 'c.txt': '', 'x[1].txt': '' });
});
afterEach(() => files.clean());

test.each([
  ['["c.txt"]', ['c.txt']],
  ['["*.deb", "a.deb"]', ['a.deb', 'b.deb']],
  ['["?.txt"]', ['c.txt']],
  ['["[ab].deb"]', ['a.deb', 'b.deb']],
  ['["[^a].*"]', ['b.deb', 'c.txt']],
  ['["x\\\\[1].txt"]', ['x[1].txt']],
  ['["./c*"]', ['c.txt']],
])('%s', async (patterns, expected) => {
  const { artifact, keep } = await files.process(
    artificePostProcessor,
    `files = ${patterns}`,
    files.artifact({}),
  );
  expect(artifact.files.map((file) => file.slice(files.dir.length + 1))).toEqual(expected);
  expect(artifact.builderId).toBe('packer.post-processor.artifice');
  expect(keep).toBe(true);
});

test('a pattern without a match is an error, and a list without patterns is one earlier', async () => {
  await expect(
    files.process(artificePostProcessor, 'files = ["*.rpm"]', files.artifact({})),
  ).rejects.toMatchObject({ code: 'post-processor/no-such-file' });
  await expect(optionsOf(artificePostProcessor, 'files = []')).rejects.toThrow('at least one');
});
