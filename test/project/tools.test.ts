import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, trackedFiles } from './source-files.ts';

/** Runs a tool in the checkout and answers what it had to say when it failed. */
function complaints(command: string, ...args: string[]): string {
  const path = join(root, 'node_modules/.bin', command);
  const { status, stdout, stderr, error } = spawnSync(existsSync(path) ? path : command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    env: { ...process.env, NO_COLOR: '1' },
  });
  if (error) return String(error);
  return status === 0 ? '' : `${stdout}${stderr}`;
}

const minute = 60_000;

test('types', () => expect(complaints('tsc', '--noEmit')).toBe(''), minute);

test(
  'lint',
  () => {
    expect(
      complaints('oxlint', '--type-aware', '--deny-warnings', 'src', 'test', 'scripts', 'bench', 'bin'),
    ).toBe('');
  },
  minute,
);

test(
  'format',
  () => expect(complaints('biome', 'format', '--colors=off', '--max-diagnostics=50', '.')).toBe(''),
  minute,
);

test('dead code', () => expect(complaints('knip', '--no-progress')).toBe(''), minute);

test(
  'shell scripts',
  (ctx) => {
    if (spawnSync('shellcheck', ['--version']).error) ctx.skip('shellcheck is not installed');
    const scripts = [
      '.ci/run',
      ...trackedFiles().filter((path) => path.endsWith('.sh') && !path.includes('fixtures/')),
    ];
    expect(complaints('shellcheck', ...scripts.filter((path) => existsSync(join(root, path))))).toBe('');
  },
  minute,
);
