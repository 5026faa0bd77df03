import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportsPlugin } from './plugin-files.ts';
import { filesBelow, read, root } from './source-files.ts';

const rooms = ['sources', 'provisioners', 'post-processors', 'data-sources'];

const plugins = rooms
  .filter((room) => existsSync(join(root, 'src', room)))
  .flatMap((room) => filesBelow(`src/${room}`, '.ts'))
  .filter((file) => exportsPlugin(read(file)))
  .map((file) => file.replace(/^src\//, '').replace(/(\/index)?\.ts$/, ''));

test('plugins are found', () => {
  expect(plugins).toContain('provisioners/shell');
});

describe.each(plugins)('%s', (name) => {
  test('is explained in docs', () => {
    expect(existsSync(join(root, 'docs', `${name}.md`)), `docs/${name}.md`).toBe(true);
  });

  test('has a test of its name', () => {
    const tests = ['.test.ts', '.slow.test.ts', '/'].map((ending) => join(root, 'test', `${name}${ending}`));
    expect(
      tests.some((path) => existsSync(path)),
      `test/${name}.test.ts`,
    ).toBe(true);
  });
});
