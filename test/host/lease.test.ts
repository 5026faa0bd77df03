import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { dropLease, isAlive, leasesIn, takeLease } from '../../src/host/lease.ts';

/** Run where another process could look: a file is there, and its content is not. */
let between = (): void => {};
let failing: string | undefined;

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return {
    ...fs,
    openSync: (...all: Parameters<typeof fs.openSync>) => {
      const file = fs.openSync(...all);
      between();
      return file;
    },
    writeFileSync: (path: string, data: string, options: { mode: number; flag: string }) => {
      fs.writeFileSync(path, '', options);
      between();
      fs.writeFileSync(path, data);
    },
    readFileSync: (path: string, encoding: 'utf8') => {
      if (path === failing) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
      return fs.readFileSync(path, encoding);
    },
  };
});

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-lease-'));
});
afterEach(() => {
  between = () => {};
  failing = undefined;
  rmSync(dir, { recursive: true });
});

test('who looks while a lease is written does not take it away', () => {
  between = () => expect(leasesIn(dir)).toEqual([]);
  const lease = takeLease(dir, 'directory', '/somewhere');
  expect(leasesIn(dir)).toEqual([lease]);
  dropLease(dir, lease);
  expect(readdirSync(dir)).toEqual([]);
});

test('what could not be written goes at once, and what a killed process was writing when it is old', () => {
  between = () => {
    throw new Error('no space');
  };
  expect(() => takeLease(dir, 'directory', '/somewhere')).toThrow('no space');
  expect(readdirSync(dir)).toEqual([]);
  between = () => {};

  const part = join(dir, 'a.json.part');
  closeSync(openSync(part, 'w'));
  expect(leasesIn(dir)).toEqual([]);
  expect(readdirSync(dir)).toEqual(['a.json.part']);
  const before = Date.now() / 1000 - 120;
  utimesSync(part, before, before);
  expect(leasesIn(dir)).toEqual([]);
  expect(readdirSync(dir)).toEqual([]);
});

test('an owner that cannot be looked for is not a dead one', () => {
  const { owner } = takeLease(dir, 'directory', '/somewhere');
  expect(isAlive(owner)).toBe(true);
  expect(isAlive({ ...owner, started: '1' })).toBe(false);
  failing = `/proc/${process.pid}/stat`;
  expect(() => isAlive(owner)).toThrow('too many open files');
});
