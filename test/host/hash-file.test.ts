import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashFile } from '../../src/host/hash-file.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-hash-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const CHUNK = 4 << 20;
const { signal } = new AbortController();

test.for([0, 1, 4095, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5000])('%d bytes', async (length) => {
  const path = join(dir, String(length));
  const bytes = randomBytes(length);
  writeFileSync(path, bytes);
  expect(await hashFile(path, signal)).toBe(createHash('sha256').update(bytes).digest('hex'));
});

test('stops when told to', async () => {
  const path = join(dir, 'stopped');
  writeFileSync(path, randomBytes(CHUNK + 1));
  await expect(hashFile(path, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
});
