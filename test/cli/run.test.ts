import { describe, expect, test } from 'vitest';
import { verbs } from '../../src/cli/verbs.ts';
import { runCli } from './run-cli.ts';

describe('help', () => {
  test('names every verb', async () => {
    const { code, stdout } = await runCli(['--help']);
    expect(code).toBe(0);
    for (const { name, summary } of verbs)
      expect(stdout).toMatch(new RegExp(`^  ${name}\\b.*${summary}`, 'm'));
  });

  test.each(verbs.map((verb) => verb.name))('of %s is the same from either side', async (name) => {
    const asked = await runCli(['help', name]);
    const flag = await runCli([name, '--help']);
    expect(asked).toEqual(flag);
    expect(asked.code).toBe(0);
    expect(asked.stdout).toContain(`Usage: ingot ${name}`);
  });

  test.each(verbs.map((verb) => verb.name).filter((name) => name !== 'version'))(
    'of %s has examples that start with ingot',
    async (name) => {
      const { stdout } = await runCli(['help', name]);
      expect(stdout).toMatch(new RegExp(`^Examples:\\n  .*ingot ${name}`, 'm'));
    },
  );

  test.each([
    ['cache', 'ls'],
    ['secrets', 'exec'],
    ['release', 'show'],
  ])('of %s %s is its own, from either side', async (verb, sub) => {
    const asked = await runCli(['help', verb, sub]);
    expect(asked).toEqual(await runCli([verb, sub, '--help']));
    expect(asked.stdout).toContain(`Usage: ingot ${verb} ${sub} [options]`);
  });

  test.each([
    ['boot', '--memory', '1G'],
    ['boot', '--timeout', '10m'],
    ['test', '--timeout', '10m'],
    ['test', '--retry-timeout', '0s'],
    ['test', '--sleep', '1s'],
  ])('of %s tells the default of %s as it is written', async (verb, flag, value) => {
    const { stdout } = await runCli(['help', verb]);
    const [, told] = new RegExp(`${flag} <[^(]*\\(default: ([^)]*)\\)`).exec(stdout) ?? [];
    expect(told).toBe(value);
  });

  test('of help is the help', async () => {
    expect(await runCli(['help', 'help'])).toEqual(await runCli(['help']));
  });

  test('without a verb the help is shown, and the command line was wrong', async () => {
    const { code, stderr } = await runCli([]);
    expect(code).toBe(2);
    expect(stderr).toContain('Usage: ingot');
  });
});

describe('a wrong command line ends with 2', () => {
  test.each([
    ['an unknown verb', ['bild'], /unknown command 'bild'[\s\S]*Did you mean build\?/],
    ['a verb in second place', ['web', 'build'], /unknown command 'web'[\s\S]*ingot build web/],
    [
      'a mistyped flag with a value',
      ['build', '-on-eror=ask'],
      /unknown option '--on-eror'[\s\S]*Did you mean --on-error\?/,
    ],
    ['help on no verb', ['help', 'biuld'], /unknown command 'biuld'[\s\S]*Did you mean build\?/],
    ['--add twice', ['test', 'a.raw', '--add', 'file', '--add', 'user', 'x'], /given before, as file/],
    ['an unknown flag', ['build', '--frce'], /unknown option '--frce'[\s\S]*Did you mean --force\?/],
    ["an unknown flag in Packer's manner", ['build', '-forse'], /Did you mean --force\?/],
    [
      'a value that is none of the choices',
      ['build', '-on-error=panic'],
      /Allowed choices are cleanup, abort, ask/,
    ],
    ['no number', ['build', '-parallel-builds=many'], /whole number/],
    ['too many arguments', ['validate', 'a', 'b'], /too many arguments/],
    ['a missing argument', ['completion'], /missing required argument/],
    ['an unknown shell', ['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
  ])('%s', async (_what, argv, message) => {
    const { code, stdout, stderr } = await runCli(argv);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

test('version, for people and programs', async () => {
  expect((await runCli(['version'])).stdout).toMatch(/^ingot \d+\.\d+\.\d+\n$/);
  expect(JSON.parse((await runCli(['version', '--json'])).stdout)).toHaveProperty('version');
  expect((await runCli(['-machine-readable', 'version'])).stdout).toMatch(/^\d+,,version,\d+\.\d+\.\d+\n/);
});
