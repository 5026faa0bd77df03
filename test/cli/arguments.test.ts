import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readArguments } from '../../src/cli/arguments.ts';
import { separateChildCommand } from '../../src/cli/child-command.ts';

const args = (...argv: string[]): string[] => readArguments(argv).args;

describe("Packer's flags are rewritten", () => {
  test.each([
    ['-var', ['build', '-var', 'a=b', '.'], ['build', '--var', 'a=b', '.']],
    ['-var with =', ['build', '-var=a=b'], ['build', '--var=a=b']],
    ['-var-file', ['build', '-var-file=x.pkrvars.hcl'], ['build', '--var-file=x.pkrvars.hcl']],
    ['-only', ['build', '-only=a,b'], ['build', '--only=a,b']],
    ['-on-error', ['build', '-on-error=ask'], ['build', '--on-error=ask']],
    ['-parallel-builds', ['build', '-parallel-builds=2'], ['build', '--parallel-builds=2']],
    ['-force', ['build', '-force'], ['build', '--force']],
    ['-force=true', ['build', '-force=true'], ['build', '--force']],
    ['-force=false', ['build', '-force=false'], ['build']],
    ['-timestamp-ui', ['build', '-timestamp-ui'], ['build', '--timestamp-ui']],
    ['-write=false', ['fmt', '-check', '-write=false'], ['fmt', '--check', '--no-write']],
    ['double dashes stay', ['build', '--force', '--var', 'x=1'], ['build', '--force', '--var', 'x=1']],
    ['single letters stay', ['-h'], ['-h']],
    [
      'single letters as Go takes them',
      ['secrets', 'eval', '--o=json', '--f', 'x'],
      ['secrets', 'eval', '-o', 'json', '-f', 'x'],
    ],
    [
      'switches of one letter',
      ['secrets', 'exec', '-i=true', '-s=false', '--', 'x'],
      ['secrets', 'exec', '-i', '--', 'x'],
    ],
    ['the same letter with a value', ['goss', 'validate', '-s=0'], ['goss', 'validate', '-s', '0']],
    ['- is a file', ['fmt', '-'], ['fmt', '-']],
    ['a value that looks like a flag', ['build', '-var', '-only=x'], ['build', '--var', '-only=x']],
    ['nothing after --', ['build', '--', '-var', '-x'], ['build', '--', '-var', '-x']],
    ['a value with a line end', ['build', '-var=a=1\n2'], ['build', '--var=a=1\n2']],
  ])('%s', (_what, argv, expected) => expect(args(...argv)).toEqual(expected));
});

test.each([
  [
    ['-f', 'x', 'git', 'checkout', '-q', '--', 'file'],
    ['-f', 'x', '--', 'git', 'checkout', '-q', '--', 'file'],
  ],
  [
    ['--f', 'x', 'cmd'],
    ['--f', 'x', '--', 'cmd'],
  ],
  [
    ['-i', '--', 'cmd', '-a', '--', 'b'],
    ['-i', '--', 'cmd', '-a', '--', 'b'],
  ],
  [['-i'], ['-i', '--']],
])('secrets exec %j leaves the command alone', (argv, expected) =>
  expect(separateChildCommand(['secrets', 'exec', ...argv]).slice(2)).toEqual(expected),
);

describe('global flags', () => {
  test.each([
    [['-machine-readable', 'build'], { machineReadable: true }],
    [['build', '-color=false'], { color: false }],
    [['build', '--no-color'], { color: false }],
    [['build', '-color'], { color: true }],
    [['--debug', 'plan'], { debug: true }],
    [['plan'], { machineReadable: false, debug: false, color: undefined }],
  ])('%j', (argv, expected) => {
    const { args: rest, globals } = readArguments(argv);
    expect(globals).toMatchObject(expected);
    expect(rest).toHaveLength(1);
  });

  test('a value is none', () => {
    expect(readArguments(['build', '-var', '-debug'])).toMatchObject({ globals: { debug: false } });
  });
});

test('arguments without a leading dash are never touched', () => {
  fc.assert(
    fc.property(fc.array(fc.string().filter((text) => !text.startsWith('-'))), (argv) => {
      expect(args(...argv)).toEqual(argv);
    }),
  );
});
