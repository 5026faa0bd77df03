import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verbs } from '../../src/cli/verbs.ts';
import { runCli } from './run-cli.ts';

const names = verbs.map((verb) => verb.name);

/** What bash offers for a command line whose last word is being typed. */
async function bashOffers(...words: string[]): Promise<string[]> {
  const { stdout: script } = await runCli(['completion', 'bash']);
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _ingot; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', `${script}\n${ask}`], {
    encoding: 'utf8',
    cwd: '/',
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.trim().split('\n');
}

describe('bash', () => {
  test.each([
    ['verbs', ['ingot', ''], ['help', ...names]],
    ['the rest of a verb', ['ingot', 'bu'], ['build']],
    ['flags of the verb', ['ingot', 'build', '--f'], ['--force']],
    [
      'values of a flag',
      ['ingot', 'build', '--on-error', ''],
      ['cleanup', 'abort', 'ask', 'run-cleanup-provisioner'],
    ],
    ['shells', ['ingot', 'completion', 'z'], ['zsh']],
    ['verbs to ask help for', ['ingot', 'help', 'boo'], ['boot']],
  ])('offers %s', async (_what, words, offers) => expect(await bashOffers(...words)).toEqual(offers));
});

describe.each(['zsh', 'fish'])('%s', (shell) => {
  test('knows every verb', async () => {
    const { stdout } = await runCli(['completion', shell]);
    for (const name of names) expect(stdout).toMatch(new RegExp(`\\b${name}\\b`));
  });

  test('is accepted by the shell', async (ctx) => {
    const { stdout } = await runCli(['completion', shell]);
    const folder = mkdtempSync(join(tmpdir(), 'ingot-completion-'));
    const file = join(folder, 'script');
    writeFileSync(file, stdout);
    const { error, status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    if (error) ctx.skip(`${shell} is not installed`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
