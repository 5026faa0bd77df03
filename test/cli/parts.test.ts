import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAge, parseSize, wholeNumber } from '../../src/cli/flag-values.ts';
import { nextCommands } from '../../src/cli/next-commands.ts';
import { writeReportFile } from '../../src/cli/report-file.ts';
import { table } from '../../src/cli/table.ts';

test.each([
  ['90s', 90_000],
  ['5m', 300_000],
  ['36h', 129_600_000],
  ['30d', 2_592_000_000],
  ['2w', 1_209_600_000],
])('%s is an age of %i ms', (text, ms) => expect(parseAge(text)).toBe(ms));

test.each(['', '30', 'd', '-1d', '1.5d', '1y', '9999999d'])('%j is no age', (text) => {
  expect(() => parseAge(text)).toThrow(/30d/);
});

test.each([
  ['0', 0],
  ['512M', 512 * 1024 ** 2],
  ['20G', 20 * 1024 ** 3],
  ['20GiB', 20 * 1024 ** 3],
  ['1t', 1024 ** 4],
])('%s is a size of %i bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

test.each(['', '-1', '1.5G', '20X', 'G', '999999999999999T'])('%j is no size', (text) => {
  expect(() => parseSize(text)).toThrow();
});

test('a whole number has a least value', () => {
  expect(wholeNumber(1)('2')).toBe(2);
  for (const wrong of ['0', '-1', '1.5', 'many', '', '1e3'])
    expect(() => wholeNumber(1)(wrong)).toThrow(/from 1 up/);
});

test('a table is as wide as its cells', () => {
  expect(
    table(
      ['A', 'LONG', 'END'],
      [
        ['xyz', '1', ''],
        ['x', '12345', 'e'],
      ],
    ),
  ).toBe('A    LONG   END\nxyz  1      \nx    12345  e');
});

test('what comes next is about the image that was released', () => {
  const image = { name: 'web', version: '1.2.0', status: 'done' };
  expect(nextCommands([image])).toEqual([]);
  expect(nextCommands([{ ...image, status: 'failed', release: {} }])).toEqual([]);
  expect(nextCommands([{ ...image, release: {} }])[0]).toMatch(/ boot web@1\.2\.0$/);
});

test('a report is written also when the work fails, and a failure to write is told', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-report-'));
  const path = join(folder, 'results.xml');
  try {
    const work = writeReportFile(path, async (stream) => {
      stream?.write('half');
      throw new Error('the build failed');
    });
    await expect(work).rejects.toThrow('the build failed');
    expect(readFileSync(path, 'utf8')).toBe('half');
    await expect(writeReportFile(join(folder, 'no/such'), async () => 1)).rejects.toMatchObject({
      code: 'cli/report-not-written',
    });
    expect(await writeReportFile(undefined, async (stream) => stream)).toBeUndefined();
    expect(existsSync(join(folder, 'no'))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
