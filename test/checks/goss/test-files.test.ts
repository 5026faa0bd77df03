import { expect, test } from 'vitest';
import type { GossTestOptions } from '../../../src/checks/goss/spec.ts';
import { gossTestFiles } from '../../../src/checks/goss/test-files.ts';
import { TempFolder } from './files.ts';

const OPTIONS = {
  file: 'goss.yaml',
  vars: undefined,
  vars_inline: undefined,
  strict: false,
  boot: true,
  machine: 'container',
  retry_timeout: 0,
  sleep: 0,
} satisfies GossTestOptions;

const GOSS = 'file:\n  /etc/{{ .Vars.name }}: {exists: true}\ngossfile:\n  more/*.yaml: {}\n';

test('what the test reads: the file, its variables, and every file that it takes in', () => {
  using folder = new TempFolder();
  folder.write('goss.yaml', GOSS);
  folder.write('vars.yaml', 'name: passwd\n');
  folder.write('more/a.yaml', 'user:\n  root: {exists: true}\n');
  folder.write('more/b.yaml', 'group:\n  root: {exists: true}\n');
  const files = gossTestFiles({ ...OPTIONS, vars: 'vars.yaml' }, folder.dir);
  expect(files).toEqual(['goss.yaml', 'vars.yaml', 'more/a.yaml', 'more/b.yaml']);
});

test.each([
  ['{{ .Env.HOME }}', undefined],
  ['{{ getEnv "HOME" | quote }}', undefined],
  ['{{ readFile "/etc/hostname" }}', undefined],
  ['the date of .Env', ['goss.yaml']],
])('with %s in it', (text, files) => {
  using folder = new TempFolder();
  folder.write('goss.yaml', `file:\n  /etc/passwd: {exists: true} # ${text}\n`);
  expect(gossTestFiles(OPTIONS, folder.dir)).toEqual(files);
});

test('a file that is wrong or missing is left to the test, which tells why', () => {
  using folder = new TempFolder();
  expect(gossTestFiles(OPTIONS, folder.dir)).toEqual(['goss.yaml']);
  folder.write('goss.yaml', 'file: [\n');
  expect(gossTestFiles(OPTIONS, folder.dir)).toEqual(['goss.yaml']);
});
