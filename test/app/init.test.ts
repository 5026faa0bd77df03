import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { init } from '../../src/app/init.ts';
import { packageRoot } from '../../src/app/package-root.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-init-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const example = join(packageRoot(), 'examples/web');

test('writes the example, byte by byte, into a folder that it makes', async () => {
  const target = join(folder, 'new/web');
  const { files } = await init({ folder: target });
  expect(files).toContain(join(target, 'site/index.html'));
  for (const file of files) {
    expect(readFileSync(file)).toEqual(readFileSync(join(example, file.slice(target.length + 1))));
  }
  expect(statSync(join(target, 'harden.sh')).mode & 0o777).toBe(0o755);
});

test('overwrites nothing, and then writes nothing at all', async () => {
  writeFileSync(join(folder, 'harden.sh'), 'mine');
  await expect(init({ folder })).rejects.toMatchObject({ code: 'app/init-exists', exitCode: 2 });
  expect(readdirSync(folder)).toEqual(['harden.sh']);
  expect(readFileSync(join(folder, 'harden.sh'), 'utf8')).toBe('mine');
});

test('goes into a folder that holds other things', async () => {
  writeFileSync(join(folder, 'notes.txt'), '');
  await init({ folder });
  expect(readdirSync(folder).sort()).toEqual([
    'goss.yaml',
    'harden.sh',
    'notes.txt',
    'site',
    'vulnerabilities.ignore.yaml',
    'web.ingot.hcl',
    'web.pkr.hcl',
  ]);
});
