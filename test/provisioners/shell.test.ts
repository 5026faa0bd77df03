import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { IngotError } from '../../src/core/error.ts';
import { shellProvisioner } from '../../src/provisioners/shell.ts';
import { fakeContext, fakeMachine } from './fake-machine.ts';
import { type Bench, openBench } from './local-machine.ts';
import { optionsOf } from './options.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
  mkdirSync(join(bench.root, 'tmp'));
});
afterEach(() => bench[Symbol.asyncDispose]());

/** Runs a body; scripts go into the machine's own tmp. */
async function provision(hcl: string): Promise<void> {
  const options = await optionsOf(shellProvisioner, `remote_folder = "${bench.root}/tmp"\n${hcl}`);
  await shellProvisioner.provision(bench.machine, options, bench.ctx);
}
const left = (): string[] => readdirSync(join(bench.root, 'tmp'));

test('what a machine is asked: the script, its command line, and the script to go', async () => {
  const { machine, calls, files } = fakeMachine();
  const hcl = 'inline = ["echo a"]\nenvironment_vars = ["A=b c", "Q=it\'s"]';
  await shellProvisioner.provision(
    machine,
    await optionsOf(shellProvisioner, hcl),
    fakeContext(bench.dir).ctx,
  );
  expect(files.get('/tmp/ingot-script-0.sh')).toBe('#!/bin/sh -e\necho a\n');
  expect(calls).toEqual([
    'put /tmp/ingot-script-0.sh',
    "exec /bin/sh -c chmod +x /tmp/ingot-script-0.sh; PACKER_BUILD_NAME='web' PACKER_BUILDER_TYPE='container' A='b c' Q='it'\\''s' /tmp/ingot-script-0.sh",
    'exec rm -f -- /tmp/ingot-script-0.sh',
  ]);
});

describe('scripts', () => {
  test('inline commands are one script, which ends at the first failure', async () => {
    await provision('inline = ["x=1", "echo $x"]');
    expect(bench.lines).toEqual(['stdout: 1']);
    await expect(provision('inline = ["false", "echo never"]')).rejects.toThrow('exit code 1');
    expect(bench.lines).toEqual(['stdout: 1']);
  });

  test('inline_shebang says who runs them', async () => {
    await provision('inline_shebang = "/bin/sh"\ninline = ["false", "echo $0 goes on"]');
    expect(bench.lines[0]).toMatch(/ goes on$/);
  });

  test('scripts of the template run in order; line ends of Windows are no trouble', async () => {
    writeFileSync(join(bench.dir, 'a.sh'), '#!/bin/sh\r\necho a\r\n');
    writeFileSync(join(bench.dir, 'b.sh'), '#!/bin/sh\necho b');
    await provision('scripts = ["b.sh", "a.sh"]');
    expect(bench.lines).toEqual(['stdout: b', 'stdout: a']);
    expect(left()).toEqual([]);
  });

  test('a binary is left as it is', async () => {
    writeFileSync(join(bench.dir, 'tool'), '#!/bin/sh\nprintf "1\r\n2"|od -An -c\n');
    await provision('script = "tool"\nbinary = true');
    expect(bench.lines.join()).toContain('\\r');
  });

  test('files() names what is hashed', async () => {
    expect(shellProvisioner.files?.(await optionsOf(shellProvisioner, 'script = "a"'), '.')).toEqual(['a']);
    expect(shellProvisioner.files?.(await optionsOf(shellProvisioner, 'scripts = ["a", "b"]'), '.')).toEqual([
      'a',
      'b',
    ]);
    expect(shellProvisioner.files?.(await optionsOf(shellProvisioner, 'inline = ["a"]'), '.')).toEqual([]);
  });
});

describe('variables', () => {
  const odd = `it's "$HOME" \\\\ & é`;

  test.each([
    ['in front of the command', ''],
    ['in a file', 'use_env_var_file = true'],
    ['by a template of the user', 'execute_command = "{{.Vars}} sh {{ .Path }}"'],
    [
      'in a format of the user',
      `env_var_format = "%s='%s'; "\nexecute_command = "{{ .Vars }}export A B; sh {{ .Path }}"`,
    ],
  ])('arrive as they are, %s', async (_where, hcl) => {
    await provision(`
      inline           = ["printf '%s|%s' \\"$A\\" \\"$B\\""]
      environment_vars = ["A=${odd.replaceAll('"', '\\"')}", "B=lost"]
      env              = { B = "a=b c" }
      ${hcl}
    `);
    expect(bench.lines).toEqual([`stdout: it's "$HOME" \\ & é|a=b c`]);
    expect(left()).toEqual([]);
  });

  test("Packer's own are there", async () => {
    await provision('inline = ["echo $PACKER_BUILD_NAME $PACKER_BUILDER_TYPE"]');
    expect(bench.lines).toEqual(['stdout: web container']);
  });
});

describe('where the script lies', () => {
  test.each([
    ['remote_file = "name.sh"', 'tmp/name.sh'],
    ['remote_path = "ROOT/at.sh"', 'at.sh'],
  ])('%s', async (hcl, path) => {
    await provision(`${hcl.replace('ROOT', bench.root)}\nskip_clean = true\ninline = ["echo $0"]`);
    expect(bench.lines).toEqual([`stdout: ${join(bench.root, path)}`]);
    expect(readFileSync(join(bench.root, path), 'utf8')).toBe('#!/bin/sh -e\necho $0\n');
  });
});

describe('a failing script', () => {
  const failure = async (hcl: string): Promise<IngotError> => {
    const error = await provision(hcl).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(IngotError);
    return error as IngotError;
  };

  test('shows its name, the line, the code and the last output', async () => {
    writeFileSync(join(bench.dir, 'harden.sh'), '#!/bin/sh -e\necho begin\n  no-such-command --now\n');
    const error = await failure('script = "harden.sh"');
    expect(error.code).toBe('provisioner/script-failed');
    expect(error.message).toBe(
      'harden.sh ended with exit code 127; expected 0; line 3: no-such-command --now',
    );
    expect(error.output[0]).toBe('begin');
    expect(error.output.at(-1)).toContain('no-such-command');
    expect(error.hint).toContain('not found');
    expect(left()).toEqual([]);
  });

  test('shows the end of a long output only', async () => {
    const error = await failure('inline = ["seq 1 100", "exit 9"]');
    expect(error.output).toEqual(Array.from({ length: 20 }, (_, i) => String(81 + i)));
    expect(error.message).toBe('the inline script ended with exit code 9; expected 0');
  });

  test('is none where the code is expected', async () => {
    await provision('inline = ["exit 9"]\nvalid_exit_codes = [0, 9]');
    expect((await failure('inline = ["true"]\nvalid_exit_codes = [3]')).message).toContain('expected 3');
  });
});

describe('a script that restarts the machine', () => {
  const down = new IngotError('machine/disconnected', 'the machine went down');
  const restartIn = (command: string): void => {
    bench.beforeExec = (argv) => {
      if (!argv.join(' ').includes(command)) return;
      bench.beforeExec = () => {};
      throw down;
    };
  };

  test('is right with expect_disconnect, and the next one runs', async () => {
    restartIn('sh -c');
    writeFileSync(join(bench.dir, 'a.sh'), '#!/bin/sh\necho a');
    writeFileSync(join(bench.dir, 'b.sh'), '#!/bin/sh\necho b');
    await provision('scripts = ["a.sh", "b.sh"]\nexpect_disconnect = true');
    expect(bench.lines).toEqual(['stdout: b']);
    expect(left()).toEqual([]);
  });

  test('is an error without', async () => {
    restartIn('sh -c');
    await expect(provision('inline = ["true"]')).rejects.toBe(down);
  });

  test('is waited for as long as start_retry_timeout says', async () => {
    restartIn('rm -f');
    await provision('inline = ["true"]');
    expect(left()).toEqual([]);
    bench.beforeExec = (argv) => {
      if (argv[0] === 'rm') throw down;
    };
    await expect(provision('inline = ["true"]\nstart_retry_timeout = "0s"')).rejects.toBe(down);
  });
});

test('a pause ends with the build', async () => {
  const stop = new AbortController();
  await using own = await openBench(stop.signal);
  const options = await optionsOf(
    shellProvisioner,
    `inline = ["true"]\npause_after = "1h"\nremote_folder = "${own.root}"`,
  );
  setTimeout(() => stop.abort(), 200);
  await expect(shellProvisioner.provision(own.machine, options, own.ctx)).rejects.toThrow('aborted');
});

test.each([
  ['', 'exactly one of inline, script and scripts; got none'],
  ['inline = []', 'got none'],
  ['inline = ["a"]\nscript = "b"', 'exactly one of'],
  ['inline = ["a"]\nenvironment_vars = ["1A=b"]', '"1A=b" is no NAME=value'],
  ['inline = ["a"]\nenvironment_vars = ["A"]', '"A" is no NAME=value'],
  ['inlin = ["a"]', 'inlin'],
])('a wrong body is reported: %j', async (hcl, message) => {
  await expect(optionsOf(shellProvisioner, hcl)).rejects.toThrow(message);
});

test('execute_command is a Go template', async () => {
  const command = '{{ if .Vars }}{{ .Vars }} {{ end }}sh {{ printf `%s` .Path }} {{ upper `a` }}';
  await provision(`inline = ["echo $PACKER_BUILD_NAME $1"]\nexecute_command = ${JSON.stringify(command)}`);
  expect(bench.lines).toEqual([expect.stringMatching(/^stdout: \w+ A$/)]);
});

test('a placeholder that is unknown is an error, and nothing runs', async () => {
  await expect(provision('inline = ["touch ran"]\nexecute_command = "{{ .Pth }}"')).rejects.toMatchObject({
    code: 'template/go-template',
  });
  expect(existsSync(join(bench.root, 'ran'))).toBe(false);
});
