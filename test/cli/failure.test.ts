import { describe, expect, test } from 'vitest';
import { Cli } from '../../src/cli/cli.ts';
import { failureCode, showFailure } from '../../src/cli/failure.ts';
import type { Diagnostic } from '../../src/core/diagnostic.ts';
import { DiagnosticsError, IngotError } from '../../src/core/error.ts';

interface Shown {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a user sees of an error, after `prepare` has been done to the command line. */
function show(error: unknown, globals = {}, prepare: (cli: Cli) => void = () => {}): Shown {
  let stdout = '';
  let stderr = '';
  const io = {
    stdout: { write: (text: string) => void (stdout += text) },
    stderr: { write: (text: string) => void (stderr += text) },
    stdin: process.stdin,
    env: {},
  };
  const cli = new Cli(io, { machineReadable: false, debug: false, color: undefined, ...globals });
  prepare(cli);
  return { code: showFailure(error, cli), stdout, stderr };
}

const failed = new IngotError('provisioner/script-failed', 'harden.sh ended with 2; expected 0', {
  hint: 'Its last lines are below.',
  output: ['nginx: [emerg] unknown directive', 'nginx: test failed'],
});

const unknownKey: Diagnostic = {
  code: 'template/unknown-attribute',
  severity: 'error',
  message: 'unknown attribute "pakages"',
};

test('an error is shown with its hint, its output and its code, and without a stack', () => {
  expect(show(failed)).toEqual({
    code: 1,
    stdout: '',
    stderr: [
      'error: harden.sh ended with 2; expected 0 [provisioner/script-failed]',
      '  hint: Its last lines are below.',
      '  │ nginx: [emerg] unknown directive',
      '  │ nginx: test failed',
      '',
    ].join('\n'),
  });
});

test('output that was shown while it ran is not repeated', async () => {
  let cli: Cli | undefined;
  show(failed, {}, (made) => {
    cli = made;
  });
  await cli?.report({}, async ({ emit }) => {
    for (const line of failed.output) emit({ type: 'step:log', step: 'web/shell', stream: 'stderr', line });
  });
  let stderr = '';
  const io = { ...(cli as Cli).io, stderr: { write: (text: string) => void (stderr += text) } };
  Object.defineProperty(cli, 'io', { value: io });
  showFailure(failed, cli as Cli);
  expect(stderr).not.toContain('│');
});

test('stack traces come with --debug, down to the first cause', () => {
  const error = new IngotError('host/command-failed', 'outer', { cause: new Error('inner') });
  expect(show(error).stderr).not.toMatch(/\n {4}at /);
  expect(show(error, { debug: true }).stderr).toMatch(
    /outer\n {4}at [\s\S]*caused by: Error: inner\n {4}at /,
  );
});

test('what nobody foresaw is said to be our defect', () => {
  const { code, stderr } = show(new TypeError('x is not a function'));
  expect(code).toBe(1);
  expect(stderr).toContain('did not foresee: x is not a function');
  expect(stderr).toContain('internal/unexpected');
});

test('several diagnostics are shown together, with the exit code of their error', () => {
  const error = new DiagnosticsError([unknownKey, { ...unknownKey, severity: 'warning' }], 2);
  const { code, stderr } = show(error);
  expect(code).toBe(2);
  expect(stderr.match(/unknown attribute/g)).toHaveLength(2);
});

test('for programs: JSON on standard output, or lines of comma-separated values', () => {
  const json = show(new DiagnosticsError([unknownKey]), {}, (cli) => {
    cli.json = true;
  });
  expect(JSON.parse(json.stdout)).toEqual({ diagnostics: [unknownKey] });
  const lines = show(new DiagnosticsError([unknownKey]), { machineReadable: true });
  expect(lines.stdout).toMatch(/^\d+,,error,unknown attribute "pakages",template\/unknown-attribute\n$/);
});

test('an interrupted run ends with 130, whatever else went wrong because of it', () => {
  const { code, stderr } = show(failed, {}, (cli) => {
    cli.interrupted = true;
  });
  expect({ code, stderr }).toEqual({ code: 130, stderr: 'interrupted\n' });
});

describe('exit code of findings', () => {
  const at = (file: string): Diagnostic => {
    const start = { offset: 0, line: 1, column: 1 };
    return { ...unknownKey, range: { file, start, end: start } };
  };
  test.each([
    ['in the template', [at('web.pkr.hcl')], 1],
    ['in the image file', [at('web.ingot.hcl')], 2],
    ['in both', [at('web.ingot.hcl'), at('web.pkr.hcl')], 1],
    ['in no file', [unknownKey], 1],
    [
      'in the image file, beside a warning',
      [at('web.ingot.hcl'), { ...at('web.pkr.hcl'), severity: 'warning' as const }],
      2,
    ],
  ])('%s', (_where, diagnostics, code) => expect(failureCode(diagnostics)).toBe(code));
});

test('where several images failed, each reason is told, in one document', () => {
  const other = new DiagnosticsError([unknownKey], 2);
  const both = new AggregateError([failed, other], 'both');
  expect(show(both).stderr).toMatch(/harden\.sh ended[^]*unknown attribute[^]*nginx: test failed/);
  const { code, stdout } = show(both, {}, (cli) => {
    cli.json = true;
  });
  expect(code).toBe(2);
  expect((JSON.parse(stdout) as { diagnostics: unknown[] }).diagnostics).toHaveLength(2);
});
