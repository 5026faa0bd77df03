import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileSource } from '../../src/sources/file.ts';
import { fakeContext } from '../provisioners/fake-machine.ts';
import { optionsOf } from '../provisioners/options.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-file-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const build = async (hcl: string) => {
  await using machine = await fileSource.start(
    await optionsOf(fileSource, hcl),
    undefined,
    fakeContext(dir).ctx,
  );
  return await machine.finish();
};

test('writes text, into folders that are made', async () => {
  const artifact = await build('content = "hello\\n"\ntarget = "a/b.txt"');
  expect(readFileSync(join(dir, 'a/b.txt'), 'utf8')).toBe('hello\n');
  expect(artifact).toEqual({
    builderId: 'packer.file',
    id: 'File',
    files: [join(dir, 'a/b.txt')],
    description: 'Stored file: a/b.txt',
  });
});

test('copies a file; without text and file it is empty', async () => {
  writeFileSync(join(dir, 'from'), 'x');
  await build('source = "from"\ntarget = "to"');
  expect(readFileSync(join(dir, 'to'), 'utf8')).toBe('x');
  await build('target = "empty"');
  expect(readFileSync(join(dir, 'empty'), 'utf8')).toBe('');
});

test('says what it cannot copy', async () => {
  await expect(build('source = "none"\ntarget = "to"')).rejects.toMatchObject({
    code: 'source/not-written',
    message: expect.stringContaining('none') as unknown,
  });
});

test('takes text or a file, not both, and needs a target', async () => {
  await expect(optionsOf(fileSource, 'content = "a"\nsource = "b"\ntarget = "c"')).rejects.toThrow('both');
  await expect(optionsOf(fileSource, 'content = "a"')).rejects.toThrow('target');
});
