import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimName } from '../../src/core/claim.ts';
import { replaceFile, replaceFileBy } from '../../src/core/replace-file.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-replace-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('several at once: each ends, one of them is there, whole, and nothing else', async () => {
  const path = join(dir, 'notes/known.txt');
  const texts = Array.from({ length: 20 }, (_, i) => `${i}\n`.repeat(50_000));
  await Promise.all(texts.map((text) => replaceFile(path, text)));
  expect(texts).toContain(readFileSync(path, 'utf8'));
  expect(readdirSync(join(dir, 'notes'))).toEqual(['known.txt']);
});

test('what was there stays when the new one cannot be made', async () => {
  const path = join(dir, 'known.txt');
  writeFileSync(path, 'old');
  const failing = replaceFileBy(path, async (temporary) => {
    await writeFile(temporary, 'half');
    throw new Error('disk full');
  });
  await expect(failing).rejects.toThrow('disk full');
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(dir)).toEqual(['known.txt']);
});

test('what a killed process was writing goes, what another writes stays', async () => {
  const path = join(dir, 'known.txt');
  const claim = await claimName();
  const theirs = `known.txt.${claim}.part`;
  writeFileSync(join(dir, theirs), 'half');
  writeFileSync(join(dir, `known.txt.${claim.replace(/^\d+/, '4194305')}.part`), 'half');
  writeFileSync(join(dir, 'known.txt.mine.part'), "the user's own");
  await replaceFile(path, 'new');
  expect(readdirSync(dir).toSorted()).toEqual(['known.txt', 'known.txt.mine.part', theirs].toSorted());
});

test('another name of the file that is there', async () => {
  const path = join(dir, 'known.txt');
  writeFileSync(path, 'same');
  await replaceFileBy(path, async (temporary) => linkSync(path, temporary));
  expect(readdirSync(dir)).toEqual(['known.txt']);
});

test('a mode', async () => {
  const path = join(dir, 'private');
  await replaceFile(path, new Uint8Array([1, 2]), { mode: 0o600, sync: true });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect([...readFileSync(path)]).toEqual([1, 2]);
});
