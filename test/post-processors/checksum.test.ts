import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checksumPostProcessor } from '../../src/post-processors/checksum.ts';
import { optionsOf } from '../provisioners/options.ts';
import { ArtifactFiles } from './artifact-files.ts';

let files: ArtifactFiles;
beforeEach(() => {
  files = new ArtifactFiles();
});
afterEach(() => files.clean());
const text = (name: string): string => readFileSync(join(files.dir, name), 'utf8');

test('a file a type, a line a file; the input stays, the sums are handed on', async () => {
  const artifact = files.artifact({ a: 'hello', b: '' });
  const result = await files.process(checksumPostProcessor, 'checksum_types = ["md5", "sha1"]', artifact);
  expect(text('packer_web_file_md5.checksum')).toBe(
    '5d41402abc4b2a76b9719d911017c592\ta\nd41d8cd98f00b204e9800998ecf8427e\tb\n',
  );
  expect(text('packer_web_file_sha1.checksum')).toContain('aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d\ta\n');
  expect(result).toMatchObject({ keep: true, mustKeep: true });
  expect(result.artifact.files.map((file) => file.slice(files.dir.length + 1))).toEqual([
    'packer_web_file_md5.checksum',
    'packer_web_file_sha1.checksum',
  ]);
});

test('a shared output has the lines of all; a second run replaces its own', async () => {
  const hcl = 'output = "{{ .ChecksumType }}.txt"';
  await files.process(checksumPostProcessor, hcl, files.artifact({ a: '1' }));
  await Promise.all([
    files.process(checksumPostProcessor, hcl, files.artifact({ b: '2' })),
    files.process(checksumPostProcessor, hcl, files.artifact({ c: '3' })),
  ]);
  await files.process(checksumPostProcessor, hcl, files.artifact({ a: 'other' }));
  const names = text('md5.txt')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t')[1] as string);
  expect(names.sort((x, y) => (x < y ? -1 : 1))).toEqual(['a', 'b', 'c']);
});

test('an unknown type is refused with those that there are', async () => {
  await expect(optionsOf(checksumPostProcessor, 'checksum_types = ["crc"]')).rejects.toThrow(/sha256.*"crc"/);
});
