import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shellLocalProvisioner } from '../../src/provisioners/shell-local.ts';
import { type Bench, openBench } from './local-machine.ts';
import { optionsOf } from './options.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

const provision = async (hcl: string) =>
  await shellLocalProvisioner.provision(
    bench.machine,
    await optionsOf(shellLocalProvisioner, hcl),
    bench.ctx,
  );

test('runs on the host, in the folder of the template, and says so by never being cached', async () => {
  await provision('command = "pwd; echo $PACKER_BUILD_NAME"');
  expect(bench.lines).toEqual([`stdout: ${bench.dir}`, 'stdout: web']);
  expect(shellLocalProvisioner.onHost).toBe(true);
});

test("has the user's environment, and its own variables as they are", async () => {
  process.env.INGOT_TEST_MINE = 'mine';
  await provision(
    'inline = ["echo $INGOT_TEST_MINE $A $B"]\nenvironment_vars = ["A=it\'s"]\nenv = { B = "$x" }',
  );
  delete process.env.INGOT_TEST_MINE;
  expect(bench.lines).toEqual(["stdout: mine it's $x"]);
});

test('scripts of the template run as they are, in order', async () => {
  writeFileSync(join(bench.dir, 'a.sh'), '#!/bin/sh\necho a', { mode: 0o755 });
  writeFileSync(join(bench.dir, 'b.sh'), '#!/bin/sh\necho b', { mode: 0o755 });
  const hcl = 'scripts = ["b.sh", "a.sh"]';
  await provision(hcl);
  expect(bench.lines).toEqual(['stdout: b', 'stdout: a']);
  expect(shellLocalProvisioner.files?.(await optionsOf(shellLocalProvisioner, hcl), '.')).toEqual([
    'b.sh',
    'a.sh',
  ]);
});

test.each(['a b.sh', "it's.sh", '$(touch ran).sh', 'a;b.sh', '"ü".sh', '-n.sh'])(
  'a script may be called %s',
  async (name) => {
    writeFileSync(join(bench.dir, name), '#!/bin/sh\necho "$0"', { mode: 0o755 });
    await provision(`script = ${JSON.stringify(name)}`);
    expect(bench.lines).toEqual([`stdout: ${join(bench.dir, name)}`]);
    expect(existsSync(join(bench.dir, 'ran'))).toBe(false);
  },
);

test('a script with Windows line ends is told as that', async () => {
  writeFileSync(join(bench.dir, 'a.sh'), '#!/bin/sh\r\necho a\r\n', { mode: 0o755 });
  await expect(provision('script = "a.sh"')).rejects.toMatchObject({
    code: 'provisioner/script-failed',
    hint: "a.sh has Windows line ends: sed -i 's/\\r$//' a.sh",
  });
});

test('a script that may not be run says so, unless the command needs no permission', async () => {
  writeFileSync(join(bench.dir, 'a.sh'), 'echo a', { mode: 0o644 });
  await expect(provision('script = "none.sh"')).rejects.toMatchObject({ code: 'provisioner/not-executable' });
  // access(2) asks for any x bit even for root.
  await expect(provision('script = "a.sh"')).rejects.toMatchObject({ code: 'provisioner/not-executable' });
  await provision('script = "a.sh"\nexecute_command = ["sh", "{{ .Script }}"]');
  expect(bench.lines).toEqual(['stdout: a']);
});

test('a failure has code, name and output; other codes can be right; no script is left', async () => {
  const before = readdirSync(tmpdir()).filter((n) => n.startsWith('ingot-script-'));
  await expect(provision('inline = ["echo why", "exit 4"]')).rejects.toMatchObject({
    code: 'provisioner/script-failed',
    message: 'the inline script ended with exit code 4 on this machine; expected 0',
    output: ['why'],
  });
  await provision('inline = ["exit 4"]\nvalid_exit_codes = [4]');
  expect(readdirSync(tmpdir()).filter((n) => n.startsWith('ingot-script-'))).toEqual(before);
});

test('only_on leaves it out elsewhere', async () => {
  const { summary } = await provision('command = "touch ran"\nonly_on = ["windows"]');
  expect(summary).toBe('left out: this machine is linux');
  expect(existsSync(join(bench.dir, 'ran'))).toBe(false);
  await provision('command = "touch ran"\nonly_on = ["linux", "darwin"]');
  expect(existsSync(join(bench.dir, 'ran'))).toBe(true);
});

test('the temporary script has the ending that was asked for', async () => {
  await provision('inline = ["echo $0"]\ntempfile_extension = ".zsh"');
  expect(bench.lines[0]).toMatch(/\.zsh$/);
});

test.each([
  ['', 'got none'],
  ['inline = []', 'got none'],
  ['command = "a"\ninline = ["b"]', 'exactly one of command, inline, script and scripts'],
  ['command = "a"\nenvironment_vars = ["=x"]', 'is no NAME=value'],
])('a wrong body is reported: %j', async (hcl, message) => {
  await expect(optionsOf(shellLocalProvisioner, hcl)).rejects.toThrow(message);
});
