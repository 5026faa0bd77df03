import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { read, root, trackedFiles } from './source-files.ts';

const pages = trackedFiles().filter((path) => path.endsWith('.md') && existsSync(join(root, path)));

test.each(pages)('every link in %s leads somewhere', (page) => {
  const targets = [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].map(
    (match) => match[1] as string,
  );
  expect(targets.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([]);
});

/** Commands in blocks that open with ```sh runnable, by page. */
const blocks = pages.flatMap((page) =>
  [...read(page).matchAll(/^```sh runnable\n([\s\S]*?)^```/gm)].map((match) => ({
    page,
    script: match[1] as string,
  })),
);

describe('commands that the docs show as runnable', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ingot-docs-'));
    mkdirSync(join(folder, 'bin'));
    symlinkSync(join(root, 'bin/ingot'), join(folder, 'bin/ingot'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('are there', () => expect(blocks.length).toBeGreaterThan(1));

  test.each(blocks)('of $page do not fail', async ({ script }) => {
    const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}`, HOME: folder };
    await promisify(execFile)('sh', ['-eu', '-c', script], { cwd: folder, env });
  });
});
