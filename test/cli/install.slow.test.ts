import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/app/package-root.ts';

// What a user gets from the packed tarball, installed where nothing of the checkout is in reach.
let folder: string;
let bin: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-install-'));
  execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: packageRoot(), stdio: 'ignore' });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) as string;
  const prefix = join(folder, 'prefix');
  execFileSync('npm', ['install', '--global', '--prefix', prefix, join(folder, tarball)], {
    cwd: folder,
    stdio: 'ignore',
  });
  bin = join(prefix, 'bin/ingot');
});
afterAll(() => rmSync(folder, { recursive: true }));

const ingot = (...args: string[]): string => execFileSync(bin, args, { cwd: folder, encoding: 'utf8' });

test('the installed command answers', () => {
  expect(ingot('version')).toMatch(/^ingot \d+\.\d+\.\d+\n$/);
  expect(ingot('help', 'build')).toContain('Usage: ingot build');
});

test('it has the example and the list of packages with it', () => {
  ingot('init', 'web');
  expect(readdirSync(join(folder, 'web'))).toContain('web.pkr.hcl');
  expect(JSON.parse(ingot('doctor', '--json'))).toHaveProperty('checks');
  expect(ingot('validate', 'web')).toContain('valid');
});
