import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shellProvisioner } from '../../src/provisioners/shell.ts';
import { fakeContext, fakeMachine } from './fake-machine.ts';
import { optionsOf } from './options.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-shell-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function run(hcl: string, fake = fakeMachine()) {
  await shellProvisioner.provision(
    fake.machine,
    await optionsOf(shellProvisioner, hcl),
    fakeContext(dir).ctx,
  );
  return fake;
}

describe('shell', () => {
  test('inline becomes one script, run with the variables, and removed', async () => {
    const { calls, files } = await run(
      'inline = ["echo a", "echo b"]\nenvironment_vars = ["A=b c", "Q=it\'s"]',
    );
    expect(files.get('/tmp/ingot-script-0.sh')).toBe('#!/bin/sh -e\necho a\necho b\n');
    expect(calls[0]).toBe('put /tmp/ingot-script-0.sh');
    expect(calls[1]).toContain("chmod +x /tmp/ingot-script-0.sh; PACKER_BUILD_NAME='web'");
    expect(calls[1]).toContain("A='b c' Q='it'\\''s' /tmp/ingot-script-0.sh");
    expect(calls[2]).toBe('exec rm -f -- /tmp/ingot-script-0.sh');
  });

  test('scripts run in order; line ends of other systems go', async () => {
    writeFileSync(join(dir, 'a.sh'), 'echo a\r\n');
    writeFileSync(join(dir, 'b.sh'), 'echo b\n');
    const { files, calls } = await run('scripts = ["a.sh", "b.sh"]\nskip_clean = true');
    expect([...files.values()]).toEqual(['echo a\n', 'echo b\n']);
    expect(calls.some((c) => c.includes('rm -f'))).toBe(false);
  });

  test('a variable file holds the variables', async () => {
    const { files, calls } = await run('inline = ["x"]\nuse_env_var_file = true\nenv = { TOKEN = "s" }');
    expect(files.get('/tmp/ingot-variables-0.sh')).toContain("export TOKEN='s'\n");
    expect(calls.find((c) => c.startsWith('exec /bin/sh'))).not.toContain('TOKEN');
  });

  test('execute_command is filled, and an unknown placeholder is refused', async () => {
    const { calls } = await run(
      'inline = ["x"]\nexecute_command = "sudo env {{ .Vars }} {{.Path}}"\nremote_path = "/root/x"',
    );
    expect(calls[1]).toMatch(/^exec \/bin\/sh -c sudo env PACKER_BUILD_NAME='web' .* \/root\/x$/);
    await expect(run('inline = ["x"]\nexecute_command = "{{ .Nope }}"')).rejects.toThrow(/\{\{ \.Nope \}\}/);
  });

  test('a failure names script, exit code, line and last output', async () => {
    const fake = fakeMachine((argv) =>
      argv[0] === '/bin/sh'
        ? { exitCode: 127, lines: ['/tmp/ingot-script-0.sh: 3: frobnicate: not found'] }
        : {},
    );
    await expect(run('inline = ["frobnicate"]', fake)).rejects.toMatchObject({
      code: 'provisioner/script-failed',
      message: expect.stringMatching(/inline script ended with exit code 127; expected 0, at line 3/),
      output: ['/tmp/ingot-script-0.sh: 3: frobnicate: not found'],
    });
  });

  test('valid_exit_codes', async () => {
    const fake = fakeMachine((argv) => ({ exitCode: argv[0] === '/bin/sh' ? 3 : 0 }));
    await run('inline = ["x"]\nvalid_exit_codes = [0, 3]', fake);
  });

  test.each([
    ['', /exactly one of inline, script and scripts; got none/],
    ['inline = ["a"]\nscript = "b"', /got more/],
    ['inline = ["a"]\nenvironment_vars = ["1x=2"]', /is no NAME=value/],
    ['inlin = ["a"]', /inlin/],
  ])('%j is refused', async (hcl, message) => {
    await expect(run(hcl)).rejects.toThrow(message);
  });

  test('its scripts are hashed', async () => {
    expect(shellProvisioner.files?.(await optionsOf(shellProvisioner, 'scripts = ["a", "b"]'))).toEqual([
      'a',
      'b',
    ]);
  });
});
