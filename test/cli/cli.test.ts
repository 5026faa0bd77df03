import { describe, expect, test } from 'vitest';
import { Cli } from '../../src/cli/cli.ts';
import { Screen } from '../reporters/screen.ts';

interface Printed {
  stdout: string;
  stderr: string;
}

function makeCli(globals = {}, stdout: object = {}, env = {}): { cli: Cli; printed: Printed } {
  const printed = { stdout: '', stderr: '' };
  const cli = new Cli(
    {
      stdout: { ...stdout, write: (text: string) => void (printed.stdout += text) },
      stderr: { write: (text: string) => void (printed.stderr += text) },
      stdin: process.stdin,
      env,
    },
    { machineReadable: false, debug: false, color: undefined, ...globals },
  );
  return { cli, printed };
}

const hello = { type: 'message', level: 'info', text: 'hello' } as const;

describe('what happens is told', () => {
  test.each([
    ['on standard error', {}, {}, 'stderr'],
    ['on standard output, where it is the answer', {}, { onStdout: true }, 'stdout'],
    ['on standard error, where JSON is the answer', {}, { onStdout: true, json: true }, 'stderr'],
    ['on standard output for programs', { machineReadable: true }, {}, 'stdout'],
  ] as const)('%s', async (_where, globals, options, stream) => {
    const { cli, printed } = makeCli(globals);
    await cli.report(options, async ({ emit }) => emit(hello));
    expect(printed[stream]).toContain('hello');
    expect(printed[stream === 'stdout' ? 'stderr' : 'stdout']).toBe('');
  });

  test.each([
    ['live on a terminal', {}, {}, true],
    ['in lines in CI', { CI: 'true' }, {}, false],
    ['in lines on a dumb terminal', { TERM: 'dumb' }, {}, false],
    ['in lines with times', {}, { timestamps: true }, false],
    ['in lines beside a console', {}, { lines: true }, false],
  ])('%s', async (_how, env, options, live) => {
    const { cli, printed } = makeCli({}, { isTTY: true, columns: 80, rows: 24 }, env);
    const id = `sha256:${'0'.repeat(64)}` as const;
    await cli.report({ onStdout: true, ...options }, async ({ emit }) => {
      emit({ type: 'step:start', step: 'web/x', kind: 'source', id, title: 'a step' });
    });
    expect(printed.stdout.includes('⠋')).toBe(live);
  });
});

test('Ctrl-C aborts the signal once, and the signals are given back', async () => {
  const { cli, printed } = makeCli();
  const before = process.listenerCount('SIGINT');
  await cli.report({}, async ({ signal }) => {
    expect(signal.aborted).toBe(false);
    process.emit('SIGINT');
    expect(signal.aborted).toBe(true);
  });
  expect(cli.interrupted).toBe(true);
  expect(printed.stderr).toContain('stopping; Ctrl-C again to stop at once');
  expect(process.listenerCount('SIGINT')).toBe(before);
});

test('the live view is taken down when the work fails', async () => {
  const screen = new Screen(80, 24);
  const { cli } = makeCli();
  Object.assign(cli.io, { stdout: screen });
  const id = `sha256:${'0'.repeat(64)}` as const;
  const work = cli.report({ onStdout: true }, async ({ emit }) => {
    emit({ type: 'step:start', step: 'web/x', kind: 'source', id, title: 'a step' });
    emit(hello);
    expect(screen.text()).toContain('a step');
    throw new Error('broken');
  });
  await expect(work).rejects.toThrow('broken');
  expect(screen.text()).toBe('hello');
});

test('checks also go into a JUnit report', async () => {
  let xml = '';
  const { cli } = makeCli();
  await cli.report({ junit: { write: (text) => void (xml += text) } }, async ({ emit }) => {
    emit({ type: 'check:result', step: 'web/boot', name: 'bios', status: 'passed' });
  });
  expect(xml).toContain('<testcase classname="web/boot" name="bios"/>');
});
