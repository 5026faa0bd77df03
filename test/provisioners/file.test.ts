import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileProvisioner } from '../../src/provisioners/file.ts';
import { type Bench, openBench } from './local-machine.ts';
import { optionsOf } from './options.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
  mkdirSync(join(bench.dir, 'site'));
  writeFileSync(join(bench.dir, 'site/page'), 'hello');
  writeFileSync(join(bench.dir, 'one'), '1');
  mkdirSync(join(bench.root, 'etc'));
  writeFileSync(join(bench.root, 'etc/conf'), 'conf');
});
afterEach(() => bench[Symbol.asyncDispose]());

async function provision(hcl: string): Promise<void> {
  const options = await optionsOf(fileProvisioner, hcl.replaceAll('ROOT', bench.root));
  await fileProvisioner.provision(bench.machine, options, bench.ctx);
}

test.each([
  ['a file to a name', 'source = "one"\ndestination = "ROOT/uno"', 'root/uno', '1'],
  ['a file into a folder', 'source = "one"\ndestination = "ROOT/etc/"', 'root/etc/one', '1'],
  ['several files', 'sources = ["site/page", "one"]\ndestination = "ROOT/etc/"', 'root/etc/page', 'hello'],
  ['a folder itself', 'source = "site"\ndestination = "ROOT"', 'root/site/page', 'hello'],
  ['the content of a folder', 'source = "site/"\ndestination = "ROOT/www"', 'root/www/page', 'hello'],
  ['a text', 'content = "text\\n"\ndestination = "ROOT/note"', 'root/note', 'text\n'],
  [
    'a download to a name',
    'direction = "download"\nsource = "ROOT/etc/conf"\ndestination = "out/conf"',
    'out/conf',
    'conf',
  ],
  [
    'a download into a folder',
    'direction = "download"\nsource = "ROOT/etc/conf"\ndestination = "out/"',
    'out/conf',
    'conf',
  ],
  [
    'a download of a folder',
    'direction = "download"\nsource = "ROOT/etc/"\ndestination = "all"',
    'all/conf',
    'conf',
  ],
])('%s', async (_what, hcl, path, content) => {
  await provision(hcl);
  expect(readFileSync(join(bench.dir, path), 'utf8')).toBe(content);
});

test.each([
  ['source = "site/"\ndestination = "/x"', ['site/']],
  ['sources = ["a", "b"]\ndestination = "/x"', ['a', 'b']],
  ['content = "a"\ndestination = "/x"', []],
  ['source = "a"\ngenerated = true\ndestination = "/x"', []],
  ['source = "/etc/a"\ndirection = "download"\ndestination = "x"', []],
])('what is hashed of %j', async (hcl, expected) => {
  expect(fileProvisioner.files?.(await optionsOf(fileProvisioner, hcl), '.')).toEqual(expected);
});

test.each([
  ['source = "a"', 'destination'],
  ['destination = "/x"', 'exactly one of source, sources and content; got none'],
  ['destination = "/x"\nsources = []', 'exactly one of source, sources and content; got none'],
  ['destination = "/x"\nsource = "a"\ncontent = "b"', 'exactly one of source, sources and content; got more'],
  ['source = "a"\ncontent = "b"\ndestination = "/x"', 'exactly one of'],
  ['content = "b"\ndestination = "/x"\ndirection = "download"', 'content is for uploads'],
  ['source = "a"\ndestination = "/x"\ndirection = "sideways"', 'sideways'],
])('a wrong body is reported: %j', async (hcl, message) => {
  await expect(optionsOf(fileProvisioner, hcl)).rejects.toThrow(message);
});
