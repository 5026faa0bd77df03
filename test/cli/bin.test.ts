import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/app/package-root.ts';

const bin = join(packageRoot(), 'bin/ingot');

test('bin/ingot builds what is missing and answers', () => {
  const answer = execFileSync(bin, ['version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  expect(answer).toMatch(/^ingot \d+\.\d+\.\d+\n$/);
}, 60_000);

test('exit codes reach the shell', () => {
  const { status, stderr } = spawnSync(bin, ['bild'], { encoding: 'utf8' });
  expect({ status, stderr }).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('Did you mean build?'),
  });
});

test('a reader that goes away early is no error', () => {
  const { status, stderr } = spawnSync(
    'bash',
    ['-c', `set -o pipefail; '${bin}' completion bash | head -c 1`],
    {
      encoding: 'utf8',
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
