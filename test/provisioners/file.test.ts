import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileProvisioner } from '../../src/provisioners/file.ts';
import { fakeContext, fakeMachine } from './fake-machine.ts';
import { optionsOf } from './options.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-file-'));
  mkdirSync(join(dir, 'site'));
  writeFileSync(join(dir, 'a.txt'), 'a');
});
afterEach(() => rmSync(dir, { recursive: true }));

test.each([
  ['source = "a.txt"\ndestination = "/etc/a"', 'upload DIR/a.txt /etc/a'],
  ['source = "a.txt"\ndestination = "/etc/"', 'upload DIR/a.txt /etc/a.txt'],
  ['source = "site/"\ndestination = "/srv"', 'upload-folder DIR/site/ /srv'],
  ['source = "site"\ndestination = "/srv"', 'upload-folder DIR/site /srv'],
  ['content = "hello"\ndestination = "/etc/motd"', 'put /etc/motd'],
  [
    'source = "/etc/os-release"\ndestination = "out/"\ndirection = "download"',
    'download /etc/os-release DIR/out/os-release',
  ],
  [
    'source = "/var/log/"\ndestination = "logs"\ndirection = "download"',
    'download-folder /var/log/ DIR/logs',
  ],
])('%s', async (hcl, expected) => {
  const { machine, calls } = fakeMachine();
  await fileProvisioner.provision(machine, await optionsOf(fileProvisioner, hcl), fakeContext(dir).ctx);
  expect(calls).toEqual([expected.replace('DIR', dir)]);
});

test.each([
  ['destination = "/x"', /exactly one of source, sources and content; got none/],
  ['source = "a"\ncontent = "b"\ndestination = "/x"', /got more/],
  ['source = "a"', /destination/],
  ['source = "a"\ndestination = "/x"\ndirection = "sideways"', /upload/],
])('%j is refused', async (hcl, message) => {
  await expect(optionsOf(fileProvisioner, hcl)).rejects.toThrow(message);
});

test('uploads are hashed, downloads and generated files are not', async () => {
  const files = async (hcl: string) => fileProvisioner.files?.(await optionsOf(fileProvisioner, hcl));
  expect(await files('sources = ["a", "b"]\ndestination = "/x"')).toEqual(['a', 'b']);
  expect(await files('source = "a"\ndestination = "/x"\ngenerated = true')).toEqual([]);
  expect(await files('source = "a"\ndestination = "/x"\ndirection = "download"')).toEqual([]);
});
