import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contextOf } from '../../../src/app/goss.ts';
import { openSession } from '../../../src/app/session.ts';
import { RememberedFiles } from '../../../src/scan/builder/clean-files.ts';
import { NeedleSet } from '../../../src/scan/residue/search-stream.ts';
import { searchTree } from '../../../src/scan/residue/search-tree.ts';
import { UnpackBudget } from '../../../src/scan/residue/unpack-budget.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-clean-'));
  mkdirSync(join(dir, 'root'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Where the word was found, and how many bytes were read for it. */
async function search(word = 'build-17'): Promise<{ places: string[]; searched: number }> {
  const needles = [{ secret: 0, form: 'as it is', bytes: Buffer.from(word) }];
  const deps = { emit: () => {}, signal: new AbortController().signal };
  const ctx = contextOf(openSession(deps, { INGOT_CACHE_DIR: join(dir, 'cache') }));
  const clean = await RememberedFiles.open(join(dir, 'cache', 'searched.txt'), needles);
  const context = { host: ctx.host, signal: ctx.signal, budget: new UnpackBudget() };
  const { hits, searched } = await searchTree(join(dir, 'root'), new NeedleSet(needles), context, clean);
  await clean.save();
  return { places: hits.map(({ path }) => path), searched };
}

test('what was clean is not read again until it changes, whatever its times say', async () => {
  const file = join(dir, 'root', 'a');
  writeFileSync(file, 'x'.repeat(100));
  writeFileSync(join(dir, 'root', 'b'), 'y'.repeat(10));
  utimesSync(file, 1, 1);
  expect(await search()).toEqual({ places: [], searched: 110 });
  expect(await search()).toEqual({ places: [], searched: 0 });
  writeFileSync(file, 'build-17'.padEnd(100, 'x'));
  utimesSync(file, 1, 1);
  expect(await search()).toEqual({ places: ['/a'], searched: 100 });
});

test('what was found is found again', async () => {
  writeFileSync(join(dir, 'root', 'a'), 'build-17');
  for (let i = 0; i < 2; i++) expect(await search()).toEqual({ places: ['/a'], searched: 8 });
});

test('another word is searched everywhere', async () => {
  writeFileSync(join(dir, 'root', 'a'), 'x'.repeat(100));
  await search();
  expect(await search('build-18')).toEqual({ places: [], searched: 100 });
  expect(await search()).toEqual({ places: [], searched: 100 });
});

test('a memory that was cut short is one of fewer files', async () => {
  writeFileSync(join(dir, 'root', 'a'), 'x'.repeat(100));
  await search();
  rmSync(join(dir, 'cache', 'searched.txt'));
  appendFileSync(join(dir, 'cache', 'searched.txt'), 'sha256:');
  expect(await search()).toEqual({ places: [], searched: 100 });
});
