import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compressPostProcessor } from '../../src/post-processors/compress.ts';
import { optionsOf } from '../provisioners/options.ts';
import { ArtifactFiles } from './artifact-files.ts';

let files: ArtifactFiles;
beforeEach(() => {
  files = new ArtifactFiles();
});
afterEach(() => files.clean());
const run = (hcl: string, content: Readonly<Record<string, string>>) =>
  files.process(compressPostProcessor, hcl, files.artifact(content));
const read = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: files.dir, encoding: 'utf8' });

describe('the ending says the format', () => {
  const content = { a: 'hello', 'b.txt': 'x'.repeat(100_000) };
  test.each([
    ['x.tar', ['tar', '-xOf']],
    ['x.tar.gz', ['tar', '-xzOf']],
    ['x.tgz', ['tar', '-xzOf']],
    ['x.tar.zst', ['tar', '--zstd', '-xOf']],
  ])('%s', async (name, [command, ...args]) => {
    const { artifact, keep } = await run(`output = "${name}"`, content);
    expect(artifact.files).toEqual([join(files.dir, name)]);
    expect(keep).toBe(false);
    expect(read(command as string, ...args, name, 'a')).toBe('hello');
    expect(read(command as string, ...args, name, 'b.txt')).toBe(content['b.txt']);
  });

  test('x.zip, as another reader has it', async () => {
    await run('output = "x.zip"', content);
    const script =
      'import zipfile; z=zipfile.ZipFile("x.zip"); assert z.testzip() is None; print(z.namelist(), z.read("a"), len(z.read("b.txt")))';
    expect(read('python3', '-c', script)).toBe("['a', 'b.txt'] b'hello' 100000\n");
  });

  test('x.gz and x.zst hold one file as it is', async () => {
    await run('output = "x.gz"', { a: 'hello' });
    expect(gunzipSync(readFileSync(join(files.dir, 'x.gz'))).toString()).toBe('hello');
    await run('output = "x.zst"', { a: 'hello' });
    expect(read('zstd', '-dc', 'x.zst')).toBe('hello');
  });

  test('none is tar.gz; `format` has the last word', async () => {
    await run('', { a: 'hello' });
    expect(existsSync(join(files.dir, 'packer_web_file.tar.gz'))).toBe(true);
    await run('output = "y.tar"\nformat = "zip"', { a: 'hello' });
    expect(readFileSync(join(files.dir, 'y.tar')).subarray(0, 2).toString()).toBe('PK');
  });
});

test('the same files give the same bytes', async () => {
  for (const ending of ['tar.gz', 'zip']) {
    await run(`output = "1.${ending}"`, { a: 'hello' });
    await run(`output = "2.${ending}"`, { a: 'hello' });
    expect(readFileSync(join(files.dir, `1.${ending}`))).toEqual(
      readFileSync(join(files.dir, `2.${ending}`)),
    );
  }
});

test.each([
  ['output = "x.lz4"', '"lz4" cannot be written'],
  ['format = "bgzf"', '"bgzf" cannot be written'],
  ['format = "rar"', 'got "rar"'],
  ['compression_level = 10', 'from 0 to 9'],
])('%s is refused while the template is checked', async (hcl, message) => {
  await expect(optionsOf(compressPostProcessor, hcl)).rejects.toThrow(message);
});

test.each([
  ['no files', 'output = "x.tar"', {}],
  ['several files in one without an archive', 'output = "x.gz"', { a: '', b: '' }],
  ['an output that is an input', 'output = "x.gz"', { 'x.gz': '' }],
])('%s cannot be compressed', async (_what, hcl, content) => {
  await expect(run(hcl, content)).rejects.toMatchObject({ code: 'post-processor/cannot-compress' });
});
