import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluate } from '../../../src/checks/goss/evaluate.ts';
import { parseGossFile } from '../../../src/checks/goss/parse.ts';
import { ImageSystem } from '../../../src/checks/goss/systems/image-system.ts';
import { SplitSystem } from '../../../src/checks/goss/targets.ts';
import { frozenClock } from '../../../src/core/clock.ts';
import { takeInventory } from '../../../src/scan/packages/inventory.ts';
import { imageOf } from '../image-tree.ts';

const STRING = 6;
const STRINGS = 8;
const INT32 = 4;

type Field = readonly [tag: number, type: number, value: string | number | readonly (string | number)[]];

/** A header as rpm stores it: counts, index of tag, type, offset and count, then the data (rpm.org, "Package format"). */
function header(fields: readonly Field[]): Buffer {
  const index: Buffer[] = [];
  let data = Buffer.alloc(0);
  for (const [tag, type, value] of fields) {
    const all = Array.isArray(value) ? value : [value];
    if (type === INT32) data = Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
    const entry = Buffer.alloc(16);
    for (const [i, n] of [tag, type, data.length, all.length].entries()) entry.writeUInt32BE(n, 4 * i);
    index.push(entry);
    const bytes = all.map((v: string | number) => {
      if (typeof v === 'string') return Buffer.from(`${v}\0`);
      const number = Buffer.alloc(4);
      number.writeUInt32BE(v);
      return number;
    });
    data = Buffer.concat([data, ...bytes]);
  }
  const counts = Buffer.alloc(8);
  counts.writeUInt32BE(index.length, 0);
  counts.writeUInt32BE(data.length, 4);
  return Buffer.concat([counts, ...index, data]);
}

/** `files` names make a header longer than a page. */
function packageHeader(name: string, files: number, epoch?: number): Buffer {
  return header([
    [1000, STRING, name],
    [1001, STRING, '1.2'],
    [1002, STRING, '3.el9'],
    ...(epoch === undefined ? [] : [[1003, INT32, epoch] as const]),
    [1014, STRING, 'GPLv2+ and MIT'],
    [1022, STRING, 'x86_64'],
    [1044, STRING, `${name}-src-1.2-3.el9.src.rpm`],
    [1116, INT32, Array.from({ length: files }, () => 0)],
    [1117, STRINGS, Array.from({ length: files }, (_, i) => `file-${i}`)],
    [1118, STRINGS, [`/usr/share/${name}/`]],
  ]);
}

function database(headers: readonly Buffer[], pageSize: number): Buffer {
  const root = imageOf({});
  const path = join(root.dir, 'rpmdb.sqlite');
  const rows = headers.map((h, i) => `INSERT INTO Packages VALUES (${i + 1}, x'${h.toString('hex')}');`);
  const sql = `PRAGMA page_size=${pageSize}; BEGIN; CREATE TABLE Name (a); CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL); ${rows.join('\n')} COMMIT;`;
  execFileSync('sqlite3', [path], { input: sql });
  return readFileSync(path);
}

function inventoryOf(bytes: Uint8Array) {
  const root = imageOf({ 'etc/os-release': 'ID=rocky\nVERSION_ID="9.3"\n' });
  mkdirSync(join(root.dir, 'var/lib/rpm'), { recursive: true });
  writeFileSync(join(root.dir, 'var/lib/rpm/rpmdb.sqlite'), bytes);
  return takeInventory(root);
}

const many = Array.from({ length: 400 }, (_, i) => packageHeader(`p${i}`, i % 60));

test.each([512, 4096, 65_536])('a database that SQLite wrote with pages of %i bytes', (pageSize) => {
  const { packages, findings, managers } = inventoryOf(
    database(
      [
        packageHeader('bash', 5000, 1),
        header([
          [1000, STRING, 'gpg-pubkey'],
          [1001, STRING, '1'],
          [1002, STRING, '1'],
        ]),
        ...many,
      ],
      pageSize,
    ),
  );
  expect([findings, managers, packages.length]).toEqual([[], ['rpm'], 401]);
  expect(packages.find((p) => p.name === 'bash')).toMatchObject({
    version: '1:1.2-3.el9',
    source: { name: 'bash-src', version: '1.2-3.el9' },
    licence: 'GPL-2.0-or-later AND MIT',
    purl: 'pkg:rpm/rocky/bash@1.2-3.el9?arch=x86_64&distro=rocky-9.3&epoch=1&upstream=bash-src-1.2-3.el9.src.rpm',
  });
});

test('goss checks find the packages in it, with the epoch that they have', async () => {
  const root = imageOf({ 'etc/redhat-release': 'Rocky Linux\n', 'var/lib/dpkg/status': '' });
  mkdirSync(join(root.dir, 'var/lib/rpm'), { recursive: true });
  writeFileSync(
    join(root.dir, 'var/lib/rpm/rpmdb.sqlite'),
    database([packageHeader('bash', 9, 0), packageHeader('zip', 1)], 4096),
  );
  const { resources } = parseGossFile(
    'package: {bash: {installed: true, versions: ["0:1.2-3.el9"]}, zip.x86_64: {installed: true, versions: [1.2-3.el9]}, nano: {installed: false}}',
    'goss.yaml',
  );
  const system = new SplitSystem(new ImageSystem(root), undefined);
  const groups = await evaluate(resources, system, { clock: frozenClock(0) });
  expect(groups.flat().map((r) => [r.resourceId, r.outcome])).toEqual([
    ['bash', 'pass'],
    ['bash', 'pass'],
    ['nano', 'pass'],
    ['zip.x86_64', 'pass'],
    ['zip.x86_64', 'pass'],
  ]);
});

test('cut or damaged anywhere, it is an error or other packages, never a crash', () => {
  const whole = database(many.slice(0, 60), 512);
  fc.assert(
    fc.property(
      fc.nat(whole.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      (at, change, cut) => {
        const bytes = Buffer.from(cut ? whole.subarray(0, at) : whole);
        if (!cut) bytes[at] = (bytes[at] as number) ^ change;
        const { findings } = inventoryOf(bytes);
        if (cut) expect(findings.filter((f) => f.severity === 'error')).not.toEqual([]);
        expect(findings.map((f) => f.message).join()).not.toMatch(/RangeError|undefined|out of range/);
      },
    ),
    { numRuns: 150 },
  );
});

test('changes that are only in the write-ahead log are an error', () => {
  const root = imageOf({ 'var/lib/rpm/rpmdb.sqlite-wal': 'x' });
  writeFileSync(join(root.dir, 'var/lib/rpm/rpmdb.sqlite'), database(many.slice(0, 2), 4096));
  expect(takeInventory(root).findings).toMatchObject([{ severity: 'error', message: /write-ahead log/ }]);
});
