import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAhead } from '../../../src/disk/ext4/read-ahead.ts';
import type { TreeFile } from '../../../src/disk/ext4/tree.ts';

const MIB = 1 << 20;
let dir: string;
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'ingot-read-ahead-'))));
afterAll(() => rmSync(dir, { recursive: true }));

const file = (path: string, size: number): TreeFile => ({
  kind: 'file',
  path,
  dir,
  mode: 0o644,
  uid: 0,
  gid: 0,
  size,
  mtime: 0n,
  major: 0,
  minor: 0,
  links: 1,
});

test('what cannot be read is left to whoever wants it', async () => {
  const ahead = readAhead(Array.from({ length: 100 }, (_, i) => file(`absent-${i}`, MIB)));
  for (let i = 0; i < 100; i++) ahead.used(MIB);
  await ahead[Symbol.asyncDispose]();
});

test('readers that wait for their turn end at once', async () => {
  const ahead = readAhead(Array.from({ length: 5 }, (_, i) => file(`large-${i}`, 2 ** 32)));
  await sleep(100);
  const began = performance.now();
  await ahead[Symbol.asyncDispose]();
  expect(performance.now() - began).toBeLessThan(5000);
});

test('reading leaves no trace in the files', async () => {
  writeFileSync(join(dir, 'here'), 'x');
  utimesSync(join(dir, 'here'), 1, 2);
  await using ahead = readAhead([file('here', 1), file('absent', 64 * MIB)]);
  await sleep(200);
  ahead.used(1);
  expect(statSync(join(dir, 'here')).atimeMs).toBe(1000);
});
