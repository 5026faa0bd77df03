import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '../../../src/core/context.ts';
import type { Rootfs } from '../../../src/core/rootfs.ts';
import { checkVulnerabilities, type VulnerabilityReport } from '../../../src/scan/vulnerabilities.ts';
import type { VulnerabilityOptions } from '../../../src/scan/vulnerabilities/spec.ts';
import { debianImage, imageOf } from '../image-tree.ts';
import { zipOf } from '../zip-of.ts';
import { type Entry, trackerOf } from './tracker-of.ts';

const NOW = new Date('2026-03-10T12:00:00Z');
const DAY = 86_400_000;
let dir: string;
let notes: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vulnerabilities-'));
  notes = [];
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A file of the template's folder, written `age` before now. */
function file(name: string, content: string | Uint8Array, age = 0): string {
  writeFileSync(join(dir, name), content);
  const time = new Date(NOW.getTime() - age);
  utimesSync(join(dir, name), time, time);
  return name;
}

async function check(
  root: Rootfs,
  options: Partial<VulnerabilityOptions> = {},
  now = NOW,
): Promise<VulnerabilityReport> {
  const ctx = {
    signal: new AbortController().signal,
    clock: { now: () => now },
    cacheDir: join(dir, 'cache'),
    workDir: dir,
    templateDir: dir,
    step: 'test',
    emit: (event: { type: string; line?: string }) => notes.push(event.line ?? ''),
  } as unknown as Context;
  const defaults = {
    databases: ['tracker.json'],
    max_age: 7 * DAY,
    refresh: DAY / 2,
    fail_on_fixable: true,
    fail_on_unknown: false,
    fail_on_uncovered: false,
    vex: [],
    scanner: 'builtin',
  };
  return await checkVulnerabilities(root, { ...defaults, ...options } as VulnerabilityOptions, ctx);
}

const failures = (report: VulnerabilityReport): string[] =>
  report.checks.filter((c) => !c.passed).map((c) => `${c.name}: ${c.message}`);

const curl = { libcurl4: '7.88.1-10+deb12u4 curl', bash: '5.2-2' };
const kernel = { 'linux-image-6.1.0-21-cloud-amd64': '6.1.90-1 linux-signed-amd64 (6.1.90+1)' };
const fixable: Entry = {
  source: 'curl',
  id: 'CVE-2026-1',
  status: 'resolved',
  fixed: '7.88.1-10+deb12u5',
  urgency: 'medium',
};

describe('the gate', () => {
  const cases: [string, Partial<Entry>, Partial<VulnerabilityOptions>, boolean][] = [
    ['a fix that is not installed', {}, {}, false],
    ['a fix that is installed', { fixed: '7.88.1-10+deb12u4' }, {}, true],
    ['a fix that only sorts lower as text', { fixed: '7.88.1-9' }, {}, true],
    ['a suite that never had it', { fixed: '0' }, {}, true],
    ['a fix, where that gate is off', {}, { fail_on_fixable: false }, true],
    ['no fix', { status: 'open', urgency: 'high' }, {}, true],
    ['no fix, at the urgency asked for', { status: 'open', urgency: 'high' }, { fail_on: 'high' }, false],
    ['no fix, below it', { status: 'open', urgency: 'medium' }, { fail_on: 'high' }, true],
    [
      "no fix, with Debian's mark of a guess",
      { status: 'open', urgency: 'high**' },
      { fail_on: 'high' },
      false,
    ],
    ['no urgency', { status: 'open', urgency: 'not yet assigned' }, { fail_on: 'negligible' }, true],
    ['no urgency, gated', { status: 'open', urgency: 'not yet assigned' }, { fail_on_unknown: true }, false],
    ['end of life, gated', { status: 'open', urgency: 'end-of-life' }, { fail_on_unknown: true }, false],
    ['undetermined', { status: 'undetermined' }, {}, true],
    ['another package', { source: 'wget' }, {}, true],
    ['a fix of the kernel, which is installed signed', { source: 'linux', fixed: '6.1.123-1' }, {}, false],
    ['a fix of the kernel that is installed signed', { source: 'linux', fixed: '6.1.90-1' }, {}, true],
  ];
  test.each(cases)('%s', async (_, entry, options, passes) => {
    file(
      'tracker.json',
      trackerOf([
        { source: 'bash', id: 'CVE-1', status: 'resolved', fixed: '0' },
        { ...fixable, ...entry },
      ]),
    );
    const report = await check(debianImage({ ...curl, ...kernel }), options);
    expect([report.passed, failures(report).length]).toEqual([passes, passes ? 0 : 1]);
  });

  test('says the package, what is installed and what has the fix, once a source package', async () => {
    file('tracker.json', trackerOf([fixable]));
    const report = await check(debianImage({ ...curl, curl: '7.88.1-10+deb12u4' }));
    expect(failures(report)).toEqual([
      'CVE-2026-1 in curl: curl 7.88.1-10+deb12u4 is installed; 7.88.1-10+deb12u5 has the fix',
    ]);
    expect(report.vulnerabilities[0]?.purls).toHaveLength(2);
  });

  test('what nobody has rated stays visible', async () => {
    file('tracker.json', trackerOf([{ ...fixable, status: 'open', urgency: 'not yet assigned' }]));
    const report = await check(debianImage(curl));
    expect(report.counts).toEqual({ unfixed: 1, 'of unknown urgency': 1 });
    expect(report.checks.at(-1)?.message).toBe('1 of unknown urgency, 1 unfixed');
  });
});

describe('a database', () => {
  test('that is missing fails the test', async () => {
    expect(failures(await check(debianImage(curl)))).toEqual([
      expect.stringMatching(/there is no .* at .*tracker\.json \[scan\/no-database\]/),
    ]);
  });

  test('of a day that is to come fails the test: it would be new until then', async () => {
    file('tracker.json', trackerOf([{ ...fixable, fixed: '0' }]), -2 * DAY);
    expect(failures(await check(debianImage(curl)))).toEqual([
      expect.stringMatching(/OF NO KNOWN AGE: it says 2026-03-12T.*, which has not been yet/),
    ]);
  });

  test('that is old fails the test', async () => {
    file('tracker.json', trackerOf([{ ...fixable, fixed: '0' }]), 8 * DAY);
    expect(failures(await check(debianImage(curl)))).toEqual([
      expect.stringMatching(/OUT OF DATE: .* 8 days ago; at most 7 days/),
    ]);
  });

  test('that is cut off anywhere fails the test', async () => {
    const whole = trackerOf([fixable]);
    for (let length = 0; length < whole.length; length += 13) {
      file('tracker.json', whole.slice(0, length));
      expect(failures(await check(debianImage(curl))), `${length} bytes`).toEqual([
        expect.stringMatching(/scan\/bad-database/),
      ]);
    }
  });

  test.each([
    ['of nothing', '{}'],
    ['of another kind', '[1]'],
    ['with something behind its end', `${trackerOf([fixable])}x`],
  ])('%s fails the test', async (_, content) => {
    file('tracker.json', content);
    expect(failures(await check(debianImage(curl)))).toEqual([expect.stringMatching(/scan\/bad-database/)]);
  });

  test('that knows nothing of the release fails the test', async () => {
    file('tracker.json', trackerOf([fixable], 'trixie'));
    expect(failures(await check(debianImage(curl)))).toEqual([
      'database for deb: NOT CHECKED: no database speaks of the 2 deb packages of this image and its release',
    ]);
  });

  test('of Debian says nothing of Ubuntu, even with the same codename', async () => {
    file('tracker.json', trackerOf([fixable]));
    const root = debianImage(curl, {
      'etc/os-release': 'ID=ubuntu\nVERSION_CODENAME=bookworm\nVERSION_ID="22.04"\n',
    });
    expect(failures(await check(root))).toEqual([expect.stringMatching(/NOT CHECKED/)]);
  });

  test('that leaves out a language is told, and can fail the test', async () => {
    file('tracker.json', trackerOf([{ ...fixable, fixed: '0' }]));
    const root = debianImage(curl, { 'a/node_modules/x/package.json': '{"name":"x","version":"1.0.0"}' });
    const report = await check(root);
    expect(report.passed).toBe(true);
    expect(report.checks.map((c) => c.name)).toContain('database for npm');
    expect((await check(root, { fail_on_uncovered: true })).passed).toBe(false);
  });
});

describe('a database at an address', () => {
  test('is fetched once, used again, and used with a note when it cannot be reached', async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked++;
      response.setHeader('last-modified', new Date(NOW.getTime() - DAY).toUTCString());
      response.end(trackerOf([fixable]));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const databases = [`http://127.0.0.1:${(server.address() as AddressInfo).port}/json`];
    const root = debianImage(curl);
    try {
      expect((await check(root, { databases })).databases).toMatchObject([
        { date: '2026-03-09T12:00:00.000Z' },
      ]);
      await check(root, { databases });
      expect(asked).toBe(1);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    const later = await check(root, { databases }, new Date(NOW.getTime() + DAY));
    expect(notes.join()).toMatch(/could not be fetched.*the copy of 2026-03-09/);
    expect(failures(later)).toEqual([expect.stringMatching(/^CVE-2026-1/)]);
    const weeks = await check(root, { databases }, new Date(NOW.getTime() + 20 * DAY));
    expect(failures(weeks).join()).toMatch(/OUT OF DATE/);
  });

  test('a page in its place is not kept, and a damaged one is fetched anew by the next run', async () => {
    const answers = [trackerOf([fixable]), '<html>Please log in</html>', '{"curl": {', trackerOf([fixable])];
    const server = createServer((_, response) => {
      response.setHeader('last-modified', NOW.toUTCString());
      response.end(answers.shift() ?? '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const databases = [`http://127.0.0.1:${(server.address() as AddressInfo).port}/json`];
    const ask = async (): Promise<string[]> =>
      failures(await check(debianImage(curl), { databases, refresh: 0 }));
    try {
      const found = [expect.stringMatching(/^CVE-2026-1/)];
      expect(await ask()).toEqual(found);
      expect(await ask()).toEqual(found);
      expect(notes.join()).toMatch(/is no vulnerability database.*the copy of 2026-03-10/);
      expect(await ask()).toEqual([expect.stringMatching(/scan\/bad-database/)]);
      const again = await check(debianImage(curl), { databases });
      expect(failures(again)).toEqual(found);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    expect(answers).toEqual([]);
  });

  test('that sends less than it announced is no database', async () => {
    const server = createServer((request, response) => {
      response.writeHead(200, { 'content-length': 10_000 });
      response.write(trackerOf([fixable]), () => request.socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const databases = [`http://127.0.0.1:${(server.address() as AddressInfo).port}/json`];
    try {
      expect(failures(await check(debianImage(curl), { databases }))).toEqual([
        expect.stringMatching(/scan\/no-database/),
      ]);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('an image', () => {
  test.each([
    ['without packages', {}, /nothing was checked/],
    ['with an empty database', { 'var/lib/dpkg/status': '' }, /dpkg holds no package/],
    ['with a broken database', { 'var/lib/dpkg/status': 'Package: a\n' }, /no usable Status/],
    ['with an unknown database', { 'var/lib/rpm/Packages.db': 'x' }, /only SQLite/],
  ])('%s fails the test', async (_, files, message) => {
    file('tracker.json', trackerOf([fixable]));
    expect(failures(await check(imageOf(files))).join()).toMatch(message);
  });
});

describe('exceptions', () => {
  const rule = (expires: string, more = ''): string =>
    `- id: CVE-2026-1\n  reason: not reachable\n  expires: ${expires}\n${more}`;

  beforeEach(() => file('tracker.json', trackerOf([fixable])));

  test('hold to the end of their last day, and fail from then on', async () => {
    const ignore = file('ignore.yaml', rule('2026-03-10'));
    const report = await check(debianImage(curl), { ignore });
    expect([report.passed, report.vulnerabilities[0]?.verdict]).toEqual([true, 'ignored']);
    const next = await check(debianImage(curl), { ignore }, new Date('2026-03-11T00:00:00Z'));
    expect(failures(next)).toEqual([
      expect.stringMatching(/^CVE-2026-1 in curl/),
      expect.stringMatching(
        /^ignore CVE-2026-1: the exception in line 1 ended on 2026-03-10 \(not reachable\)/,
      ),
    ]);
  });

  test('of another package do not count, and one that nothing needs is told', async () => {
    const ignore = file('ignore.yaml', rule('2027-01-01', '  package: wget\n'));
    const report = await check(debianImage(curl), { ignore });
    expect(failures(report)).toEqual([expect.stringMatching(/^CVE-2026-1 in curl/)]);
    expect(report.checks.find((c) => c.name === 'ignore CVE-2026-1')?.message).toMatch(/not needed/);
  });

  test.each([
    ['no reason', '- id: CVE-1\n  expires: 2027-01-01\n', 'line 1: the rule has no reason'],
    ['no end', '\n- id: CVE-1\n  reason: x\n', 'line 2: expires is missing; expected a day'],
    ['no day', '- { id: CVE-1, reason: x, expires: 2027-02-30 }', 'line 1: expires is "2027-02-30"'],
    ['an unknown key', '- { id: CVE-1, reason: x, expires: 2027-02-03, until: 1 }', 'unknown key "until"'],
    ['no YAML', '- [', 'line 1: '],
    ['no list', 'CVE-1: x', 'expected a list of rules'],
  ])('with %s are refused', async (_, text, message) => {
    const ignore = file('ignore.yaml', text);
    await expect(check(debianImage(curl), { ignore })).rejects.toThrow(message);
  });
});

describe('OpenVEX', () => {
  const vexOf = (statement: object): string =>
    JSON.stringify({ '@context': 'https://openvex.dev/ns/v0.2.0', '@id': 'x', statements: [statement] });
  const statement = (product: string, status = 'not_affected'): object => ({
    vulnerability: { name: 'CVE-2026-1' },
    products: [{ '@id': 'pkg:oci/web', subcomponents: [{ '@id': product }] }],
    status,
    justification: 'vulnerable_code_not_in_execute_path',
  });

  beforeEach(() => file('tracker.json', trackerOf([fixable])));

  test.each([
    ['every version', statement('pkg:deb/debian/libcurl4'), true],
    ['this version', statement('pkg:deb/debian/libcurl4@7.88.1-10%2Bdeb12u4?arch=amd64'), true],
    ['another version', statement('pkg:deb/debian/libcurl4@7.88.1-9'), false],
    ['another architecture', statement('pkg:deb/debian/libcurl4?arch=arm64'), false],
    ['another package', statement('pkg:deb/debian/libcurl'), false],
    ['another status', statement('pkg:deb/debian/libcurl4', 'affected'), false],
    ['a fix', statement('pkg:deb/debian/libcurl4', 'fixed'), true],
    ['every product', { ...statement(''), products: undefined }, true],
    ['no product', { ...statement(''), products: [] }, false],
    [
      'a product that has no package URL',
      { ...statement(''), products: [{ identifiers: { cpe23: 'cpe:2.3:a:x:y' } }] },
      false,
    ],
    [
      'parts that have no package URL',
      {
        ...statement(''),
        products: [
          { '@id': 'pkg:deb/debian/libcurl4', subcomponents: [{ identifiers: { cpe23: 'cpe:2.3' } }] },
        ],
      },
      false,
    ],
  ])('a statement about %s', async (_, content, passes) => {
    const report = await check(debianImage(curl), { vex: [file('vex.json', vexOf(content))] });
    expect(report.passed).toBe(passes);
  });

  test('one of two packages is not both', async () => {
    const both = debianImage({ ...curl, curl: '7.88.1-10+deb12u4' });
    const vex = [file('one.json', vexOf(statement('pkg:deb/debian/curl')))];
    expect((await check(both, { vex })).passed).toBe(false);
    vex.push(file('other.json', vexOf(statement('pkg:deb/debian/libcurl4'))));
    expect((await check(both, { vex })).passed).toBe(true);
  });

  test.each([
    ['the later one of a document', {}, {}, false],
    ['the newer one', { timestamp: '2026-03-02T00:00:00Z' }, { timestamp: '2026-03-01T00:00:00Z' }, true],
    ['the one that was updated', {}, { last_updated: '2026-03-02T00:00:00Z' }, false],
  ])('of two statements %s counts', async (_, one, other, passes) => {
    const [fine, bad] = [
      statement('pkg:deb/debian/libcurl4'),
      statement('pkg:deb/debian/libcurl4', 'affected'),
    ];
    const text = JSON.stringify({
      '@context': 'https://openvex.dev/ns/v0.2.0',
      timestamp: '2026-01-01T00:00:00Z',
      statements: [
        { ...fine, ...one },
        { ...bad, ...other },
      ],
    });
    expect((await check(debianImage(curl), { vex: [file('vex.json', text)] })).passed).toBe(passes);
  });

  test.each([
    ['no JSON', '{', /no OpenVEX document/],
    ['another form', '{"bomFormat":"CycloneDX"}', /@context/],
    ['an unknown status', vexOf({ vulnerability: { name: 'a' }, status: 'fine' }), /status "fine"/],
    [
      'no justification',
      vexOf({ vulnerability: { name: 'a' }, status: 'not_affected' }),
      /without a justification/,
    ],
  ])('a document with %s is refused', async (_, text, message) => {
    await expect(check(debianImage(curl), { vex: [file('vex.json', text)] })).rejects.toThrow(message);
  });

  test('what is written is read back, and says what is found', async () => {
    await check(debianImage(curl), { vex_output: 'out.json' });
    const text = readFileSync(join(dir, 'out.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({
      '@context': 'https://openvex.dev/ns/v0.2.0',
      timestamp: '2026-03-10T12:00:00Z',
      statements: [
        {
          vulnerability: { name: 'CVE-2026-1' },
          status: 'affected',
          action_statement: 'Update curl to 7.88.1-10+deb12u5.',
        },
      ],
    });
    const again = await check(debianImage(curl), { vex: ['out.json'] });
    expect(again.passed).toBe(false);
  });
});

describe('OSV', () => {
  const record = (more: object = {}): string =>
    JSON.stringify({
      id: 'DEBIAN-CVE-2026-1',
      upstream: ['CVE-2026-1'],
      modified: '2026-03-09T00:00:00Z',
      affected: [
        {
          package: { ecosystem: 'Debian:12', name: 'curl' },
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '7.88.1-10+deb12u5' }] }],
        },
      ],
      ...more,
    });

  test.each([
    ['a fix that is not installed', record(), false],
    ['a withdrawn record', record({ withdrawn: '2026-03-09T00:00:00Z' }), true],
  ])('a ZIP archive with %s', async (_, text, passes) => {
    const databases = [file('osv.zip', zipOf({ 'a.json': text }))];
    expect((await check(debianImage(curl), { databases })).passed).toBe(passes);
  });

  test('the same CVE in two databases counts once', async () => {
    file('tracker.json', trackerOf([fixable]));
    const databases = ['tracker.json', file('osv.zip', zipOf({ 'a.json': record() }))];
    const report = await check(debianImage(curl), { databases });
    expect(report.vulnerabilities.map((v) => [v.id, v.urgency])).toEqual([['CVE-2026-1', 'medium']]);
  });

  test('an archive is as old as its newest record', async () => {
    const databases = [file('osv.zip', zipOf({ 'a.json': record({ modified: '2025-01-01T00:00:00Z' }) }))];
    expect(failures(await check(debianImage(curl), { databases })).join()).toMatch(/OUT OF DATE.*434 days/);
  });

  test.each([
    ['cut off', zipOf({ 'a.json': record() }).subarray(0, 200), /scan\/bad-zip/],
    ['of no records', zipOf({ readme: 'x' }), /it holds no record/],
    ['of broken records', zipOf({ 'a.json': '{' }), /a\.json is no JSON/],
  ])('an archive that is %s fails the test', async (_, content, message) => {
    const databases = [file('osv.zip', content)];
    expect(failures(await check(debianImage(curl), { databases })).join()).toMatch(message);
  });
});
