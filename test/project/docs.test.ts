import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseHcl } from '../../src/template/index.ts';
import { read, root, trackedFiles } from './source-files.ts';

const pages = trackedFiles().filter((path) => path.endsWith('.md') && existsSync(join(root, path)));

test.each(pages)('every link in %s leads somewhere', (page) => {
  const targets = [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].map(
    (match) => match[1] as string,
  );
  expect(targets.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([]);
});

/** Examples of templates and image files: what stands between fences, and what is indented and begins as HCL does. */
const examples = pages.flatMap((page) => {
  const fenced = [...read(page).matchAll(/^```hcl\n([\s\S]*?)^```/gm)];
  const indented = read(page).matchAll(
    /(?<=\n\n)(?= {4}(?:build|data|image|locals|post-processor|provisioner|source|test)\b.*\{)(?:(?: {4}.*)?\n)+/g,
  );
  return [...fenced.map((match) => match[1] as string), ...[...indented].map((match) => match[0])].map(
    (text) => ({ page, text }),
  );
});

test('examples are found between fences and indented', () => {
  expect(examples.filter(({ text }) => text.startsWith('    ')).length).toBeGreaterThan(20);
  expect(examples.length).toBeGreaterThan(60);
});

test.each(examples)('an example of $page is HCL: $text', ({ page, text }) => {
  expect(parseHcl(text, page).diagnostics).toEqual([]);
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
