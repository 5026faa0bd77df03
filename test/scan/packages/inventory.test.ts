import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { takeInventory } from '../../../src/scan/packages/inventory.ts';
import { BOOKWORM, debianImage, dpkgEntry, imageOf } from '../image-tree.ts';
import { zipOf } from '../zip-of.ts';
import { goProgram } from './go-program.ts';

const purls = (root: Parameters<typeof takeInventory>[0]): string[] =>
  takeInventory(root).packages.map((p) => p.purl);

describe('dpkg', () => {
  test('packages with their source and licence', () => {
    const root = debianImage(
      { libc6: '2.36-9+deb12u9 glibc', 'bind9-host': '1:9.18.1-1+b2 bind9 (1:9.18.1-1)', bash: '5.2-2+b1' },
      {
        'usr/share/doc/libc6/copyright':
          'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: LGPL-2.1+\n\nFiles: x\nLicense: Expat or GPL-2\n\nLicense: unused\n text\n',
        'usr/share/doc/bash/copyright': 'Bash is free, see GPL-3.',
      },
    );
    expect(takeInventory(root)).toMatchObject({
      os: { id: 'debian', codename: 'bookworm' },
      managers: ['dpkg'],
      findings: [],
      packages: [
        { name: 'bash', source: { name: 'bash', version: '5.2-2' } },
        { name: 'bind9-host', source: { name: 'bind9', version: '1:9.18.1-1' } },
        {
          name: 'libc6',
          source: { name: 'glibc', version: '2.36-9+deb12u9' },
          licence: 'LGPL-2.1-or-later AND (MIT OR GPL-2.0-only)',
          purl: 'pkg:deb/debian/libc6@2.36-9%2Bdeb12u9?arch=amd64&distro=debian-12&upstream=glibc',
        },
      ],
    });
  });

  test('what was removed is left out; what was left half installed is listed and told', () => {
    const status = [
      dpkgEntry({ Package: 'gone', Version: '1', Status: 'deinstall ok config-files' }),
      dpkgEntry({ Package: 'half', Version: '1', Status: 'install ok half-configured' }),
    ].join('');
    const { packages, findings } = takeInventory(
      imageOf({ 'etc/os-release': BOOKWORM, 'var/lib/dpkg/status': status }),
    );
    expect(packages.map((p) => p.name)).toEqual(['half']);
    expect(findings).toMatchObject([
      { severity: 'warning', message: 'half is half-configured, not installed in full' },
    ]);
  });

  test('one file a package, as images without dpkg have it', () => {
    const entry = 'Package: tzdata\nVersion: 2024a-0\nArchitecture: all\n';
    expect(purls(imageOf({ 'etc/os-release': BOOKWORM, 'var/lib/dpkg/status.d/tzdata': entry }))).toEqual([
      'pkg:deb/debian/tzdata@2024a-0?arch=all&distro=debian-12',
    ]);
  });

  test.each([
    ['binary', 'Package: a\0\n', /NUL bytes/],
    ['cut off within a line', dpkgEntry({ Package: 'a', Version: '1' }).trimEnd(), /ends within a line/],
    ['cut off before the version', 'Package: a\nStatus: install ok installed\n', /no usable Version/],
    ['of other text', 'hello world\n', /line 1 is no field/],
    ['with a nameless entry', dpkgEntry({ Version: '1' }), /no usable Package/],
    ['with a bad version', dpkgEntry({ Package: 'a', Version: '1 2;x' }), /no usable Version/],
  ])('a database that is %s is an error', (_, status, message) => {
    const { findings } = takeInventory(imageOf({ 'var/lib/dpkg/status': status }));
    expect(findings.find((f) => f.severity === 'error')?.message).toMatch(message);
  });

  test.each([
    ['missing', {}],
    ['empty', { 'var/lib/dpkg/status': '' }],
  ])('a database that is %s where packages are installed is an error', (_, files) => {
    const root = imageOf({ ...files, 'var/lib/dpkg/info/bash.list': '/bin/bash\n' });
    expect(takeInventory(root).findings).toMatchObject([{ severity: 'error', path: '/var/lib/dpkg/status' }]);
  });

  test('a database that is a link out of the image is looked for inside of it', () => {
    const root = imageOf({
      'etc/os-release': BOOKWORM,
      'real/status': dpkgEntry({ Package: 'a', Version: '1' }),
    });
    mkdirSync(join(root.dir, 'var/lib/dpkg'), { recursive: true });
    symlinkSync('/../../../../real/status', join(root.dir, 'var/lib/dpkg/status'));
    expect(takeInventory(root).packages.map((p) => p.name)).toEqual(['a']);
  });

  test('a database that is a loop of links is an error', () => {
    const root = imageOf({ 'var/lib/dpkg/other': '' });
    symlinkSync('status', join(root.dir, 'var/lib/dpkg/status'));
    expect(takeInventory(root).findings).toMatchObject([{ severity: 'error', message: /symbolic links/ }]);
  });
});

test('apk', () => {
  const installed = `C:Q1${Buffer.alloc(20, 1).toString('base64')}\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:ld-musl.so\n\nP:libcrypto3\nV:3.1.4-r1\nA:x86_64\nL:Apache-2.0\no:openssl\n\n`;
  const root = imageOf({
    'etc/os-release': 'ID=alpine\nVERSION_ID=3.19.0\n',
    'lib/apk/db/installed': installed,
  });
  expect(takeInventory(root)).toMatchObject({
    findings: [],
    managers: ['apk'],
    packages: [
      { name: 'libcrypto3', source: { name: 'openssl' }, licence: 'Apache-2.0' },
      { name: 'musl', hashes: [{ algorithm: 'SHA-1', value: '01'.repeat(20) }] },
    ],
  });
});

test('a database of rpm in an old format is refused in one sentence', () => {
  expect(takeInventory(imageOf({ 'var/lib/rpm/Packages': 'x' })).findings).toMatchObject([
    { severity: 'error', message: /only SQLite/ },
  ]);
});

describe('language packages', () => {
  test('npm, Python, Java and Go', () => {
    const root = imageOf({
      'app/node_modules/@scope/a/package.json': '{"name":"@scope/a","version":"1.0.0","license":"MIT"}',
      'app/node_modules/b/package.json':
        '{"name":"b","version":"2.0.0","licenses":[{"type":"ISC"},{"type":"MIT"}]}',
      'app/node_modules/b/test/package.json': '{"name":"not-installed","version":"1.0.0"}',
      'app/package.json': '{"name":"app","version":"1.0.0"}',
      'opt/v/lib/python3.11/site-packages/Foo_Bar-1.2.dist-info/METADATA':
        'Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 1.2\nClassifier: License :: OSI Approved :: MIT License\n\nName: x\n',
      'opt/v/lib/python3.11/site-packages/old-0.1.egg-info':
        'Name: old\nVersion: 0.1\nLicense: BSD 3-Clause\n',
      'srv/lib.jar': zipOf({
        'META-INF/MANIFEST.MF': 'Manifest-Version: 1.0\n',
        'META-INF/maven/org.x/lib/pom.properties': '#made\ngroupId=org.x\nartifactId=lib\nversion=3.1\n',
      }),
      'srv/plain-1.4.jar': zipOf({
        'META-INF/MANIFEST.MF': 'Bundle-License: MIT\nImplementation-Version: 9\n',
      }),
      'usr/local/bin/tool': goProgram('go1.22.1', [
        'path\texample.com/tool',
        'mod\texample.com/tool\tv1.0.0\th1:x',
        'dep\tgolang.org/x/net\tv0.1.0\th1:y',
        '=>\texample.com/fork\tv0.2.0\th1:z',
      ]),
    });
    chmodSync(join(root.dir, 'usr/local/bin/tool'), 0o755);
    const { packages, findings } = takeInventory(root);
    expect(findings).toEqual([]);
    expect(packages.map((p) => [p.purl, p.licence])).toEqual([
      ['pkg:golang/example.com/fork@v0.2.0', undefined],
      ['pkg:golang/example.com/tool@v1.0.0', undefined],
      ['pkg:golang/stdlib@1.22.1', undefined],
      ['pkg:maven/org.x/lib@3.1', undefined],
      ['pkg:maven/plain@1.4', 'MIT'],
      ['pkg:npm/%40scope/a@1.0.0', 'MIT'],
      ['pkg:npm/b@2.0.0', 'ISC OR MIT'],
      ['pkg:pypi/foo-bar@1.2', 'MIT'],
      ['pkg:pypi/old@0.1', 'BSD-3-Clause'],
    ]);
    expect(packages.every((p) => /^[0-9a-f]{64}$/.test(p.hashes[0]?.value ?? ''))).toBe(true);
  });

  test('what a package of the distribution owns is not listed twice, merged /usr or not', () => {
    const metadata = 'Name: six\nVersion: 1.16\n';
    const root = debianImage(
      { 'python3-six': '1.16-1 six' },
      {
        'usr/lib/python3/dist-packages/six-1.16.egg-info': metadata,
        'usr/lib/own/six-1.16.egg-info': metadata,
        'usr/local/lib/six-1.17.egg-info': metadata,
        'var/lib/dpkg/info/python3-six.list':
          '/usr/lib/python3/dist-packages/six-1.16.egg-info\n/lib/own/six-1.16.egg-info\n',
      },
    );
    symlinkSync('usr/lib', join(root.dir, 'lib'));
    expect(takeInventory(root).packages.map((p) => p.path)).toEqual([
      '/var/lib/dpkg/status',
      '/usr/local/lib/six-1.17.egg-info',
    ]);
  });

  test('what cannot be read is told, and hides nothing else', () => {
    const root = imageOf({
      'a/node_modules/x/package.json': '{"name":',
      'a/node_modules/y/package.json': '{"name":"y","version":"1.0.0"}',
      'a/cut.jar': zipOf({ 'META-INF/MANIFEST.MF': 'A: b\n' }).subarray(0, 30),
    });
    writeFileSync(Buffer.concat([Buffer.from(`${root.dir}/a/`), Buffer.from([0xff])]), '');
    const { packages, findings } = takeInventory(root);
    expect(packages.map((p) => p.name)).toEqual(['y']);
    expect(findings.map((f) => [f.severity, f.path])).toEqual([
      ['warning', '/a/cut.jar'],
      ['warning', '/a/node_modules/x/package.json'],
      ['warning', '/a/\ufffd'],
    ]);
  });

  test('links are not followed: a loop ends, and nothing of this machine is read', () => {
    const root = imageOf({ 'srv/node_modules/x/package.json': '{"name":"x","version":"1.0.0"}' });
    symlinkSync('..', join(root.dir, 'srv/up'));
    symlinkSync('/', join(root.dir, 'srv/node_modules/host'));
    symlinkSync(process.cwd(), join(root.dir, 'srv/node_modules/y'));
    expect(purls(root)).toEqual(['pkg:npm/x@1.0.0']);
  });
});
