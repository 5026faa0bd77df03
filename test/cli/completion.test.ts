import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verbs } from '../../src/cli/verbs.ts';
import { runCli } from './run-cli.ts';

const names = verbs.map((verb) => verb.name);
/** What the user's store has, among it a name that would run in a shell. */
const RELEASES = ['web@1.0.0', 'web@dev', 'db@2.1.0', 'x@$(touch${IFS}ran)'];

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-completion-'));
  for (const shell of ['bash', 'zsh', 'fish'])
    writeFileSync(join(folder, shell), (await runCli(['completion', shell])).stdout);
  mkdirSync(join(folder, 'bin'));
  const asked = `#!/bin/sh\n[ "$*" = 'release list --quiet' ] && printf '%s\\n' ${RELEASES.map((r) => `'${r}'`).join(' ')}\n`;
  writeFileSync(join(folder, 'bin/ingot'), asked);
  chmodSync(join(folder, 'bin/ingot'), 0o755);
  mkdirSync(join(folder, 'here/my folder'), { recursive: true });
  writeFileSync(join(folder, 'here/web.qcow2'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Lines that a shell prints; undefined where it is not installed. */
function ask(shell: string, script: string): string[] | undefined {
  const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH ?? ''}`, HOME: folder, TERM: 'dumb' };
  const cwd = join(folder, 'here');
  const { error, stdout, stderr, status } = spawnSync(shell, ['-c', script], { encoding: 'utf8', cwd, env });
  if (error) return undefined;
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  expect(existsSync(join(cwd, 'ran'))).toBe(false);
  return stdout.split('\n').filter((line) => line !== '');
}

/** What bash offers for a line with the cursor at its end. Nothing means that readline looks for files. */
function bashOffers(line: string): string[] | undefined {
  const set = `COMP_LINE='${line}' COMP_POINT=${line.length}`;
  return ask('bash', `source ../bash; ${set}; _ingot; printf '%s\\n' "\${COMPREPLY[@]}"`);
}

function fishOffers(line: string): string[] | undefined {
  const lines = ask('fish', `source ../fish; complete -C '${line}'`);
  return lines?.map((offer) => offer.split('\t')[0] as string);
}

const LINES: readonly (readonly [what: string, line: string, offers: readonly string[]])[] = [
  ['the rest of a verb', 'ingot bu', ['build']],
  ['flags of the verb', 'ingot build --f', ['--force']],
  ['flags of every verb', 'ingot build --deb', ['--debug']],
  ['values of a flag', 'ingot build --on-error a', ['abort', 'ask']],
  ['shells', 'ingot completion z', ['zsh']],
  ['verbs to ask help for', 'ingot help boo', ['boot']],
  ['subcommands', 'ingot secrets e', ['env', 'eval', 'exec']],
  ['flags of a subcommand', 'ingot secrets exec --m', ['--machine-readable', '--mask']],
  ['no flags of another subcommand', 'ingot secrets get --fi', []],
  ['releases', 'ingot lookup d', ['db@2.1.0']],
  ['releases behind flags', 'ingot boot --firmware bios d', ['db@2.1.0']],
  ['what is called like a verb, not as one', 'ingot build plan --j', ['--json', '--junit']],
];

describe('bash', () => {
  test('offers all verbs', () => expect(bashOffers('ingot ')).toEqual(['help', ...names]));

  test.each(LINES)('offers %s', (_what, line, offers) =>
    expect(bashOffers(line)?.toSorted()).toEqual(offers),
  );

  // Readline puts the offer behind the last `@` or `=`, at which it parts words.
  test.each([
    ['versions and channels', 'ingot boot web@', ['1.0.0', 'dev']],
    ['values behind =', 'ingot build --on-error=c', ['cleanup']],
    ['no files itself, which readline quotes', 'ingot build my', []],
  ])('offers %s', (_what, line, offers) => expect(bashOffers(line)).toEqual(offers));
});

describe('fish', () => {
  test.for([
    ...LINES,
    ['releases and files', 'ingot boot we', ['web.qcow2', 'web@1.0.0', 'web@dev']] as const,
    ['files', 'ingot build my', ['my folder/']] as const,
  ])('offers %s', ([_what, line, offers], ctx) => {
    const offered = fishOffers(line);
    if (offered === undefined) return ctx.skip('fish is not installed');
    expect(offered.toSorted()).toEqual(offers);
  });
});

describe('zsh', () => {
  test('takes the script, also where compinit has not run', (ctx) => {
    const answer = ask('zsh', 'source ../zsh; print $_comps[ingot]; print $+functions[_ingot]');
    if (answer === undefined) return ctx.skip('zsh is not installed');
    expect(answer).toEqual(['_ingot', '1']);
  });

  test('knows every verb and subcommand', async () => {
    const { stdout } = await runCli(['completion', 'zsh']);
    for (const name of [...names, 'ksdecode', 'prune']) expect(stdout).toContain(`    ${name})`);
  });
});
