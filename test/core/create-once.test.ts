import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createOnce } from '../../src/core/create-once.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-once-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('is made once, private, and kept', () => {
  const path = join(dir, 'keys/key');
  expect(createOnce(path, () => 'first').toString()).toBe('first');
  expect(createOnce(path, () => 'second').toString()).toBe('first');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(dir, 'keys'))).toEqual(['key']);
});

test('what another process makes meanwhile stays', () => {
  const path = join(dir, 'key');
  const made = createOnce(path, () => {
    writeFileSync(path, 'theirs');
    return 'ours';
  });
  expect(made.toString()).toBe('theirs');
  expect(readFileSync(path, 'utf8')).toBe('theirs');
  expect(readdirSync(dir)).toEqual(['key']);
});

test('nothing is left when it cannot be made', () => {
  const fail = (): never => {
    throw new Error('disk full');
  };
  expect(() => createOnce(join(dir, 'key'), fail)).toThrow('disk full');
  expect(readdirSync(dir)).toEqual([]);
});
