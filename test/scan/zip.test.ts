import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ZipFile } from '../../src/scan/zip.ts';
import { folderOf } from './image-tree.ts';
import { zipOf } from './zip-of.ts';

const LIMIT = 1_000_000;

function contentOf(bytes: Uint8Array): Record<string, string> {
  using zip = new ZipFile(join(folderOf({ 'a.zip': bytes }), 'a.zip'));
  return Object.fromEntries([...zip.entries(LIMIT)].map((e) => [e.name, e.read().toString('utf8')]));
}

describe('ZIP archives', () => {
  const files = { 'a.json': '{"a":1}', 'b/ü.json': 'x'.repeat(10_000), empty: '' };

  test('every file is read', () => {
    expect(contentOf(zipOf(files))).toEqual(files);
  });

  test('cut anywhere, it is an error that says so', () => {
    const whole = zipOf(files);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(() => contentOf(whole.subarray(0, length))).toThrow(/cannot be read as a ZIP archive/);
      }),
      { numRuns: 60 },
    );
  });

  test('damaged anywhere, it is a clear error or other content, never a crash', () => {
    const whole = zipOf(files);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] as number) ^ change;
        try {
          contentOf(bytes);
        } catch (error) {
          expect((error as { code?: string }).code).toBe('scan/bad-zip');
        }
      }),
      { numRuns: 150 },
    );
  });

  test('a file that unpacks to more than allowed is refused before it is unpacked', () => {
    const path = join(folderOf({ 'a.zip': zipOf({ bomb: '0'.repeat(LIMIT + 1) }) }), 'a.zip');
    using zip = new ZipFile(path);
    const [bomb] = zip.entries(LIMIT);
    expect(() => bomb?.read()).toThrow('bomb has 1000001 bytes, expected at most 1000000');
  });
});
