import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IngotError } from '../../../src/core/error.ts';
import { splitControlArchives } from '../../../src/sources/mmdebstrap/control-archive.ts';
import { parseControl } from '../../../src/sources/mmdebstrap/control.ts';
import { readDebLayout } from '../../../src/sources/mmdebstrap/deb.ts';
import { relations } from '../../../src/sources/mmdebstrap/dependencies.ts';
import {
  parseDeb822Sources,
  parseOneLine,
  parseSourcesList,
} from '../../../src/sources/mmdebstrap/host-sources.ts';
import { parsePackages } from '../../../src/sources/mmdebstrap/packages-index.ts';
import { modeOf, parseListing } from '../../../src/sources/mmdebstrap/unpack.ts';
import { ar, tarOf } from './archives-by-hand.ts';

describe('sources.list', () => {
  test.each([
    [
      'deb http://h/debian bookworm main',
      { uris: ['http://h/debian'], suites: ['bookworm'], components: ['main'] },
    ],
    [
      '  deb [arch=amd64 signed-by=/a b] http://h/d s main contrib # why',
      { uris: ['http://h/d'], suites: ['s'], components: ['main', 'contrib'] },
    ],
    ['# deb http://h/debian bookworm main', undefined],
    ['deb-src http://h/debian bookworm main', undefined],
    ['', undefined],
  ])('%s', (line, expected) => expect(parseOneLine(line)).toEqual(expected));

  test('the deb822 format, with what is disabled and what is source only left out', () => {
    const text = `# a comment
Types: deb deb-src
URIs: http://h/debian http://i/debian
# in between
Suites: bookworm
 bookworm-updates
Components: main contrib

Types: deb-src
URIs: http://src
Suites: bookworm

types: deb
Enabled: no
URIs: http://off
Suites: bookworm
`;
    expect(parseDeb822Sources(text)).toEqual([
      {
        uris: ['http://h/debian', 'http://i/debian'],
        suites: ['bookworm', 'bookworm-updates'],
        components: ['main', 'contrib'],
      },
    ]);
  });

  test('no text makes the readers fail', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseSourcesList(text);
        parseDeb822Sources(text);
        parseControl(text);
        relations(text);
      }),
    );
  });
});

describe('control data', () => {
  test('paragraphs, continuation lines, comments', () => {
    const [first, second] = parseControl('A: 1\n# no\nB: x\n y\n .\n\n\nA: 2\r\n');
    expect([...(first ?? [])]).toEqual([
      ['A', '1'],
      ['B', 'x\ny\n.'],
    ]);
    expect([...(second ?? [])]).toEqual([['A', '2']]);
  });

  test('relations drop versions, architectures and qualifiers', () => {
    expect(relations('libc6 (>= 2.36), awk | mawk:any [amd64], , perl:any <!nocheck>')).toEqual([
      ['libc6'],
      ['awk', 'mawk'],
      ['perl'],
    ]);
  });
});

describe('package lists', () => {
  const hash = 'a'.repeat(64);
  const entry = (filename: string, size = '7') =>
    `Package: p\nVersion: 1\nDescription: d\n Package: not this\nArchitecture: all\nFilename: ${filename}\nSize: ${size}\nSHA256: ${hash}\n`;

  test('takes the fields that it needs', () => {
    expect([...parsePackages(`${entry('pool/p.deb')}\n${entry('pool/q.deb')}`)]).toEqual([
      { name: 'p', version: '1', architecture: 'all', filename: 'pool/p.deb', size: 7, sha256: hash },
      { name: 'p', version: '1', architecture: 'all', filename: 'pool/q.deb', size: 7, sha256: hash },
    ]);
  });

  test.each([
    ['/etc/passwd', '7'],
    ['pool/../../x', '7'],
    ['pool/p.deb', '-1'],
    ['pool/p.deb', '1e999'],
  ])('leaves out filename %s, size %s', (filename, size) => {
    expect([...parsePackages(entry(filename, size))]).toEqual([]);
  });

  test('never fails, and never leads out of the archive', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'Package: p',
        'Version: 1',
        'Architecture: all',
        'Filename: ../x',
        'Filename: pool/x',
        'Size: 1',
        `SHA256: ${hash}`,
        '',
      ),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        for (const found of parsePackages(lines.join('\n'))) {
          expect(found.filename.split('/')).not.toContain('..');
        }
      }),
    );
  });
});

describe('packages', () => {
  const deb = ar([
    ['debian-binary', Buffer.from('2.0\n')],
    ['control.tar.xz', Buffer.from('control')],
    ['data.tar.zst', Buffer.from('data!')],
  ]);

  test('finds the members and how they are compressed', () => {
    const { control, data } = readDebLayout(deb, 'p.deb');
    expect(deb.toString('latin1', control.start, control.end)).toBe('control');
    expect(deb.toString('latin1', data.start, data.end)).toBe('data!');
    expect([control.compression, data.compression]).toEqual(['.xz', '.zst']);
  });

  test.each([
    ['no archive', Buffer.from('hello'), /does not begin as an ar archive/],
    ['cut short', deb.subarray(0, deb.length - 3), /is damaged/],
    ['without data', ar([['control.tar', Buffer.from('c')]]), /has no data\.tar/],
    ['lzma', ar([['data.tar.lzma', Buffer.from('c')]]), /compressed in a way that is not known/],
  ])('refuses %s', (_name, bytes, message) => {
    expect(() => readDebLayout(bytes, 'p.deb')).toThrow(message);
  });

  test('any bytes are read or refused, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: deb.length - 1 }), (noise, at) => {
        const bytes = Buffer.from(deb);
        bytes.set(noise.subarray(0, bytes.length - at), at);
        try {
          const { data } = readDebLayout(bytes, 'p.deb');
          expect(data.end).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(IngotError);
        }
      }),
    );
  });

  test('control archives are split at their ends', async () => {
    const one = await tarOf([
      ['./', ''],
      ['./control', 'Package: one\n'],
      ['./postinst', '#!/bin/sh\n'],
      ['./../evil', 'x'],
    ]);
    const two = await tarOf([['control', 'Package: two\n']]);
    const [a, b] = splitControlArchives(Buffer.concat([one, Buffer.alloc(10240), two]), ['one', 'two']);
    expect([...(a ?? new Map()).keys()]).toEqual(['control', 'postinst']);
    expect(b?.get('control')?.data.toString()).toBe('Package: two\n');
    expect(a?.get('postinst')?.mode).toBe(0o755);
    expect(() => splitControlArchives(one, ['one', 'two'])).toThrow(/1 control archives in 2 packages/);
    one[100] = 0x37;
    expect(() => splitControlArchives(one, ['one'])).toThrow(/wrong checksum/);
  });
});

describe("tar's listing", () => {
  test('one list for each archive, as dpkg writes paths', () => {
    const text = `drwxr-xr-x 0/0               0 2026-01-02 03:04:05 ./
-rwsr-xr-x 0/42           1234 2026-01-02 03:04:05 ./usr/bin/a b
lrwxrwxrwx 0/0               0 2026-01-02 03:04:05 ./lib -> usr/lib
drwxr-xr-x 0/0               0 2026-01-02 03:04:05 ./
hrw-r--r-- 0/0               0 2026-01-02 03:04:05 ./x link to ./y
crw-rw-rw- 0/0             1,3 2026-01-02 03:04:05 ./dev/null
`;
    const [one, two] = parseListing(text);
    expect(one?.map((e) => e.path)).toEqual(['/.', '/usr/bin/a b', '/lib']);
    expect(one?.[1]).toMatchObject({ mode: 0o4755, gid: 42, type: '-' });
    expect(two?.map((e) => e.path)).toEqual(['/.', '/x', '/dev/null']);
    expect(() => parseListing('tar: something\n')).toThrow(/no path of a package/);
  });

  test.each([
    ['rwxr-xr-x', 0o755],
    ['rw-r-----', 0o640],
    ['rwsr-sr-t', 0o7755],
    ['rwSr-Sr-T', 0o7644],
  ])('%s', (text, mode) => expect(modeOf(text)).toBe(mode));
});
