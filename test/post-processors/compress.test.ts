import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

/** Text that does not compress; the same each time. */
function noise(length: number): string {
  let state = 1;
  const byte = (): number => (state = (state * 48_271) % 0x7fffffff) & 0x7f;
  return Buffer.from(Array.from({ length }, byte)).toString('latin1');
}

describe('the ending says the format', () => {
  const content = { a: 'hello', 'b.txt': 'x'.repeat(100_000) };
  test.each([
    ['x.tar', ['tar', '-xOf']],
    ['x.tar.gz', ['tar', '-xzOf']],
    ['x.tgz', ['tar', '-xzOf']],
    ['x.tar.zst', ['tar', '--zstd', '-xOf']],
    ['x.tar.bz2', ['tar', '-xjOf']],
    ['x.tar.xz', ['tar', '-xJOf']],
    ['x.tar.lz4', ['tar', '--use-compress-program=lz4', '-xOf']],
    ['x.tar.bgzf', ['tar', '-xzOf']],
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

  test.each([
    ['x.gz', 'gzip'],
    ['x.bgzf', 'gzip'],
    ['x.zst', 'zstd'],
    ['x.bz2', 'bzip2'],
    ['x.bzip2', 'bzip2'],
    ['x.xz', 'xz'],
    ['x.lz4', 'lz4'],
  ])('%s holds one file as it is, of any size', async (name, tool) => {
    for (const size of [0, 5, 0xff00, 200_001]) {
      // Half of it cannot be made smaller.
      const text = `${Buffer.alloc(size / 2, 'ab').toString()}${noise(size - Math.floor(size / 2))}`;
      await run(`output = "${name}"`, { a: text });
      const unpacked = execFileSync(tool, ['-dc'], { input: readFileSync(join(files.dir, name)) });
      expect(unpacked.toString('latin1') === text, `${size} bytes`).toBe(true);
    }
  });

  test('blocks of bgzf can be read one by one, and the last one is empty', async () => {
    await run('output = "x.bgzf"\ncompression_level = 0', { a: noise(150_000) });
    const bytes = readFileSync(join(files.dir, 'x.bgzf'));
    const sizes: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUInt16LE(at + 16) + 1;
      sizes.push(gunzipSync(bytes.subarray(at, at + length)).length);
      at += length;
    }
    expect(sizes).toEqual([65_280, 65_280, 19_440, 0]);
  });

  test('any other is a tar.gz of that name; `format` has the last word', async () => {
    for (const [hcl, name] of [
      ['', 'packer_web_file'],
      ['output = "x.box"', 'x.box'],
    ]) {
      await run(hcl as string, { a: 'hello' });
      expect(read('tar', '-xzOf', name as string, 'a')).toBe('hello');
    }
    await run('output = "y.tar"\nformat = "zip"', { a: 'hello' });
    expect(readFileSync(join(files.dir, 'y.tar')).subarray(0, 2).toString()).toBe('PK');
  });
});

test('the same files give the same bytes', async () => {
  for (const ending of ['tar.gz', 'zip', 'tar.xz', 'bgzf']) {
    await run(`output = "1.${ending}"`, { a: 'hello' });
    await run(`output = "2.${ending}"`, { a: 'hello' });
    expect(readFileSync(join(files.dir, `1.${ending}`))).toEqual(
      readFileSync(join(files.dir, `2.${ending}`)),
    );
  }
});

test.each([
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
