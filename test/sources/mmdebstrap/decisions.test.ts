import { describe, expect, test } from 'vitest';
import { debianSources, extendedStates } from '../../../src/sources/mmdebstrap/apt-files.ts';
import { parseSnapshot, suitesOf, wantedSuites } from '../../../src/sources/mmdebstrap/archives.ts';
import { fileConflicts } from '../../../src/sources/mmdebstrap/conflicts.ts';
import { parseControl } from '../../../src/sources/mmdebstrap/control.ts';
import { DependencyGraph } from '../../../src/sources/mmdebstrap/dependencies.ts';
import { databaseOf } from '../../../src/sources/mmdebstrap/dpkg-database.ts';
import { nearest } from '../../../src/sources/mmdebstrap/nearest.ts';
import { body } from '../../../src/sources/mmdebstrap/options.ts';
import { isInert, wayOf } from '../../../src/sources/mmdebstrap/preinst.ts';
import {
  archiveName,
  checkFresh,
  checkSuite,
  parseRelease,
} from '../../../src/sources/mmdebstrap/release.ts';

const control = (text: string) => parseControl(text)[0] ?? new Map<string, string>();
const request = {
  suite: 'bookworm',
  components: ['main'],
  mirrors: undefined,
  snapshot: undefined,
  hostSources: () => [],
};

describe('where the archive is', () => {
  test('by default where the host has it, and nowhere else', () => {
    const hostSources = () => [
      { uris: ['http://other.example/'], suites: ['nodistro'], components: ['main'] },
      { uris: ['http://m.example/debian/'], suites: ['trixie', 'trixie-updates'], components: ['main'] },
      { uris: ['http://s.example/sec'], suites: ['trixie-security'], components: ['main'] },
    ];
    const main = ['http://m.example/debian'];
    const security = ['http://s.example/sec', 'http://m.example/debian-security'];
    expect(wantedSuites({ ...request, hostSources }).map((w) => [w.suite, w.bases])).toEqual([
      ['bookworm', main],
      ['bookworm-updates', main],
      ['bookworm-security', security],
    ]);
  });

  test('by the template: URLs for Debian, lines for other archives', () => {
    const mirrors = ['http://m/debian', 'deb [arch=amd64] https://o/apt stable main extra'];
    expect(wantedSuites({ ...request, mirrors })).toEqual([
      { suite: 'bookworm', components: ['main'], bases: ['http://m/debian'] },
      { suite: 'bookworm-updates', components: ['main'], bases: ['http://m/debian'] },
      {
        suite: 'bookworm-security',
        components: ['main'],
        bases: ['http://m/debian-security', 'http://m/debian'],
      },
      { suite: 'stable', components: ['main', 'extra'], bases: ['https://o/apt'] },
    ]);
  });

  test('a snapshot', () => {
    const wanted = wantedSuites({ ...request, snapshot: '2026-06-01', mirrors: ['http://127.0.0.1:1'] });
    expect(wanted.map((w) => w.bases[0])).toEqual([
      'http://127.0.0.1:1/archive/debian/20260601T000000Z',
      'http://127.0.0.1:1/archive/debian/20260601T000000Z',
      'http://127.0.0.1:1/archive/debian-security/20260601T000000Z',
    ]);
  });

  test.each([
    [['ftp://m/debian'], 'apt/bad-mirror'],
    [['nonsense'], 'apt/bad-mirror'],
    [['deb nonsense'], 'apt/bad-mirror'],
    [undefined, 'apt/no-mirror'],
  ])('refuses %s', (mirrors, code) => {
    expect(() => wantedSuites({ ...request, mirrors })).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    ['2026-06-01', '20260601T000000Z'],
    ['20260601', '20260601T000000Z'],
    ['2026-06-01T12:34:56Z', '20260601T123456Z'],
    ['20260601T123456Z', '20260601T123456Z'],
    ['2026-02-30', undefined],
    ['yesterday', undefined],
    ['20260601T250000Z', undefined],
  ])('snapshot %s', (text, expected) => expect(parseSnapshot(text)).toBe(expected));

  test('sid has no updates', () => {
    expect(suitesOf('sid')).toEqual(['sid']);
    expect(suitesOf('trixie')).toEqual(['trixie', 'trixie-updates', 'trixie-security']);
  });
});

describe('Release files', () => {
  const text = `Origin: Debian
Label: Debian-Security
Suite: oldstable-security
Codename: bookworm-security
Date: Wed, 18 Nov 2026 22:17:41 UTC
Valid-Until: Wed, 25 Nov 2026 22:17:41 UTC
Acquire-By-Hash: yes
SHA256:
 ${'a'.repeat(64)} 12 main/binary-amd64/Packages
`;
  const release = parseRelease(text, 'x');

  test('are read', () => {
    expect(release).toMatchObject({ date: 1795040261, validUntil: 1795645061, byHash: true });
    expect(release.files.get('main/binary-amd64/Packages')).toEqual({ sha256: 'a'.repeat(64), size: 12 });
    expect(archiveName(release)).toBe('debian-security');
  });

  test('expire to the second', () => {
    expect(() => checkFresh(release, new Date(1795645061_000), 'x')).not.toThrow();
    expect(() => checkFresh(release, new Date(1795645062_000), 'x')).toThrow(
      /was valid until 2026-11-25T22:17:41/,
    );
  });

  test.each(['bookworm-security', 'oldstable-security', 'bookworm/updates'])('are of suite %s', (suite) => {
    expect(() => checkSuite(release, suite, 'x')).not.toThrow();
  });

  test('are of no other suite', () => {
    expect(() => checkSuite(release, 'bookworm', 'x')).toThrow(/expected "bookworm"/);
  });

  test.each(['', 'Date: yesterday\nSHA256:\n', 'Date: Wed, 18 Nov 2026 22:17:41 UTC\n'])(
    'refuses %j',
    (bad) => {
      expect(() => parseRelease(bad, 'x')).toThrow(expect.objectContaining({ code: 'apt/bad-release' }));
    },
  );
});

describe('how a package gets in', () => {
  const inert = `#!/bin/sh
set -e
# Automatically added
dpkg-maintscript-helper rm_conffile /etc/x 1.2~ -- "$@"
if [ "$1" = "install" ] && [ -n "$2" ] && [ -e "/etc/init.d/x" ] ; then
	chmod +x "/etc/init.d/x" >/dev/null || true
fi
exit 0
`;
  test.each([
    [inert, true],
    [`${inert}rm -rf /x\n`, false],
    ['#!/usr/bin/perl\nset -e\n', false],
    ['\x7fELF', false],
    ['#!/bin/sh\nset -e; rm -rf /x\n', false],
    ['#!/bin/sh\nexit 0; rm -rf /x\n', false],
  ])('%j', (script, expected) => expect(isInert(script)).toBe(expected));

  const base = new Set(['libc6']);
  test.each([
    [undefined, 'debian', [], 'files'],
    [inert, 'debian-security', ['other'], 'files'],
    ['#!/bin/sh\nmkdir /x\n', 'debian', ['libc6'], 'preinst'],
    ['#!/bin/sh\nmkdir /x\n', 'debian', ['other'], 'dpkg'],
    ['#!/bin/sh\ndpkg-divert --add /x\n', 'debian', [], 'dpkg'],
    [undefined, 'example', [], 'dpkg'],
    [undefined, 'debianish', [], 'dpkg'],
  ] as const)('%j of %s after %s: %s', (script, archive, preDepends, way) => {
    expect(wayOf(script, archive, preDepends, base)).toBe(way);
  });
});

test('the closure of needs goes by what is there', () => {
  const graph = new DependencyGraph([
    { name: 'a', control: control('Depends: x | b, missing\nPre-Depends: v (>= 1)') },
    { name: 'b', control: control('Depends: a') },
    { name: 'c', control: control('Provides: v (= 2), w') },
    { name: 'd', control: control('') },
  ]);
  expect([...graph.closure(['a'])].sort()).toEqual(['a', 'b', 'c']);
  expect(graph.direct('a', 'Pre-Depends')).toEqual(['c']);
});

describe('files that two packages bring', () => {
  const file = (path: string, type = '-') => ({ path, type, mode: 0o644, uid: 0, gid: 0 });
  const listed = new Map([
    ['new', [file('/.', 'd'), file('/usr/bin/x')]],
    ['old', [file('/.', 'd'), file('/bin/x'), file('/bin/y')]],
  ]);

  test('belong to the one that replaces the other, also across the merge of /usr', () => {
    const packages = [
      { name: 'new', control: control('Replaces: old (<< 2)') },
      { name: 'old', control: control('') },
    ];
    const { winners, lost } = fileConflicts(listed, packages);
    expect(winners).toEqual(['new']);
    expect([...lost]).toEqual([['old', new Set(['/bin/x'])]]);
  });

  test('are refused where neither does', () => {
    const packages = [...listed.keys()].map((name) => ({ name, control: control('') }));
    expect(() => fileConflicts(listed, packages)).toThrow(
      expect.objectContaining({ code: 'apt/file-conflict' }),
    );
  });
});

test("dpkg's database of an unpacked package", () => {
  const data = (text: string) => ({ mode: 0o644, data: Buffer.from(text) });
  const files = new Map([
    ['control', data('')],
    ['conffiles', data('/etc/p.conf\nremove-on-upgrade /etc/gone\n')],
    ['triggers', data('interest-noawait /usr/share/p\ninterest p-made # comment\nactivate other\n')],
    ['postinst', { mode: 0o755, data: Buffer.from('#!/bin/sh\n') }],
  ]);
  const pkg = {
    name: 'p',
    control: control(
      'Package: p\nVersion: 1\nArchitecture: amd64\nMulti-Arch: same\nDescription: short\n long\n',
    ),
    files,
    paths: ['/.', '/etc', '/etc/p.conf'],
  };
  const written = new Map([...databaseOf([pkg], () => Buffer.from('x\n'))].map((f) => [f.path, f]));
  expect(written.get('status')?.data).toBe(`Package: p
Status: install ok unpacked
Version: 1
Architecture: amd64
Multi-Arch: same
Description: short
 long
Conffiles:
 /etc/p.conf 401b30e3b8b5d629635a5c613cdb7919
`);
  expect(written.get('info/p:amd64.list')?.data).toBe('/.\n/etc\n/etc/p.conf\n');
  expect(written.get('info/p:amd64.postinst')?.mode).toBe(0o755);
  expect(written.get('triggers/File')?.data).toBe('/usr/share/p p:amd64/noawait\n');
  expect(written.get('triggers/p-made')?.data).toBe('p:amd64\n');
  expect([...written.keys()]).not.toContain('info/p:amd64.control');
});

test("apt's files in the image name Debian's public archive, and what nobody asked for", () => {
  const suite = (archive: string, name: string) => ({
    archive,
    suite: name,
    components: ['main'],
    inRelease: `sha256:${'0'.repeat(64)}` as const,
    date: 0,
  });
  const suites = [suite('debian', 'bookworm'), suite('debian', 'bookworm-updates'), suite('mine', 'stable')];
  const entry = { kind: 'apt', request: suites[0]!.inRelease, suites, packages: [], tools: [] } as const;
  expect(debianSources(entry)).toBe(`Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`);
  const packages = [
    { name: 'nginx', control: control('Architecture: all') },
    { name: 'libx', control: control('Architecture: amd64\nPriority: optional') },
    { name: 'mount', control: control('Architecture: amd64\nPriority: required') },
  ];
  expect(extendedStates(packages, 'minbase', new Set(['nginx']))).toBe(
    'Package: libx\nArchitecture: amd64\nAuto-Installed: 1\n\n',
  );
});

test.each([
  ['ngnix', 'nginx'],
  ['pyhton3', 'python3'],
  ['openssh-servr', 'openssh-server'],
  ['zzzzzzzzzz', undefined],
])('nearest to %s is %s', (wanted, expected) => {
  expect(nearest(wanted, ['python3', 'nginx', 'openssh-server', 'openssh-client'])).toBe(expected);
});

test.each([
  [{ arch: 'arm64' }, /images of amd64 only/],
  [{ suite: '../x' }, /no suite's name/],
  [{ components: ['main', '-x'] }, /no component's name/],
  [{ packages: ['--option'] }, /no package's name/],
  [{ packages: ['a b'] }, /no package's name/],
  [{ kernel: '$(id)' }, /neither a package's name nor "none"/],
  [{ snapshot: 'soon' }, /is no date/],
])('options %j are refused', (bad, message) => {
  const good = {
    suite: 'bookworm',
    components: ['main'],
    packages: ['nginx=1.2-3'],
    arch: 'amd64',
    kernel: 'none',
  };
  const check = body.check as unknown as (options: object) => { message: string }[];
  expect(check(good)).toEqual([]);
  expect(check({ ...good, ...bad }).map((p) => p.message)).toEqual([expect.stringMatching(message)]);
});
