import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../../src/checks/goss/evaluate.ts';
import { parseGossFile } from '../../../src/checks/goss/parse.ts';
import { ImageSystem } from '../../../src/checks/goss/systems/image-system.ts';
import { sortByTarget, SplitSystem } from '../../../src/checks/goss/targets.ts';
import { frozenClock } from '../../../src/core/clock.ts';
import { openRootfs } from '../../../src/host/rootfs.ts';
import { TempFolder } from './files.ts';

const DPKG = 'Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.22-1\n\n';

const FILES: Readonly<Record<string, string>> = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nbroken line\nweb:x:1000:1000::/home/web:/bin/sh\n',
  '/etc/group': 'root:x:0:\nadm:x:4:web\nweb:x:1000:\n',
  '/etc/fstab': '# none\nUUID=1 / ext4 defaults 0 1\nUUID=2 /boot/efi vfat umask=077 0 1\n',
  '/etc/sysctl.d/10.conf': 'net.ipv4.ip_forward = 0\n',
  '/etc/sysctl.d/20.conf':
    'net.ipv4.ip_local_port_range = 1024  65000\nkernel.core_pattern = |/bin/x %p  %s\n',
  '/usr/lib/sysctl.d/99.conf': '-net/ipv4/ip_forward=1\n',
  '/etc/nginx.conf': 'user web;\nserver {\n}\n',
  '/var/lib/dpkg/status':
    'Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.22-1\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n',
  '/usr/lib/systemd/systemd': '',
  '/usr/lib/systemd/system/nginx.service': '[Service]\nExecStart=/x\n[Install]\nWantedBy=multi-user.target\n',
  '/usr/lib/systemd/system/off.service': '[Service]\n[Install]\nWantedBy=multi-user.target\n',
  '/usr/lib/systemd/system/static.service': '[Service]\nExecStart=/x\n',
};

function image(folder: TempFolder, extra: Readonly<Record<string, string>> = {}): string {
  for (const [path, text] of Object.entries({ ...FILES, ...extra })) {
    const host = join(folder.dir, path);
    mkdirSync(dirname(host), { recursive: true });
    writeFileSync(host, text);
  }
  const wants = join(folder.dir, 'etc/systemd/system/multi-user.target.wants');
  mkdirSync(wants, { recursive: true });
  symlinkSync('/usr/lib/systemd/system/nginx.service', join(wants, 'nginx.service'));
  symlinkSync('/usr/lib/systemd/system/off.service', join(wants, '../off.service'));
  symlinkSync('/usr/lib/systemd/system/nginx.service', join(wants, '../www.service'));
  return folder.dir;
}

async function outcomes(dir: string, yaml: string): Promise<Record<string, string>> {
  const { resources, diagnostics } = parseGossFile(yaml, 'goss.yaml');
  expect(diagnostics).toEqual([]);
  const system = new SplitSystem(new ImageSystem(openRootfs(dir)), undefined);
  const groups = await evaluate(resources, system, { clock: frozenClock(0) });
  return Object.fromEntries(
    groups.flat().map((r) => [`${r.resourceId} ${r.property}`, r.error ?? r.elsewhere ?? r.outcome]),
  );
}

describe('an unbooted image', () => {
  test('tells files, packages, users, units, sysctl and fstab', async () => {
    using folder = new TempFolder();
    const dir = image(folder);
    chmodSync(join(dir, 'etc/nginx.conf'), 0o640);
    const found = await outcomes(
      dir,
      `
file:
  /etc/nginx.conf: {exists: true, mode: "0640", size: 21, filetype: file, contents: ["/^user web;$/", "!root"], sha256: {have-len: 64}}
  /none: {exists: false}
package:
  nginx: {installed: true, versions: [1.22-1]}
  gone: {installed: false}
user:
  web: {exists: true, uid: 1000, groups: [web, adm], shell: /bin/sh}
group:
  adm: {exists: true, gid: 4}
service:
  nginx: {enabled: true}
  www: {enabled: true}
  "off": {enabled: false}
  static: {enabled: true}
  none: {enabled: false}
kernel-param:
  net.ipv4.ip_forward: {value: "1"}
  net.ipv4.ip_local_port_range: {value: "1024\\t65000"}
  kernel.core_pattern: {value: "|/bin/x %p  %s"}
mount:
  /: {exists: true}
  /boot/efi: {exists: true, filesystem: vfat}
`,
    );
    expect(Object.entries(found).filter(([, outcome]) => outcome !== 'pass')).toEqual([]);
    expect(Object.keys(found)).toHaveLength(27);
  });

  test('says what it cannot tell', () => {
    using folder = new TempFolder();
    const { resources } = parseGossFile(
      `
file: {/run/x: {exists: true}, /boot/efi/x: {exists: false}, /etc/nginx.conf: {exists: true}}
service: {nginx: {enabled: true, running: true}}
port: {tcp:80: {listening: true}}
http: {"http://localhost:8080/x": {status: 200}, "https://example.org": {status: 200}}
addr: {"tcp://127.0.0.1:22": {reachable: true}, "tcp://10.0.0.1:22": {reachable: true}}
kernel-param: {kernel.ostype: {value: Linux}}
interface: {eth0: {exists: true}}
matching: {m: {content: 1, matches: 1}}
`,
      'goss.yaml',
    );
    const sorted = sortByTarget(resources, new ImageSystem(openRootfs(image(folder))));
    expect(sorted).toEqual({
      disk: ['File: /etc/nginx.conf: exists', 'Service: nginx: enabled', 'Matching: m: matches'],
      booted: [
        'File: /run/x: exists',
        'Service: nginx: running',
        'Port: tcp:80: listening',
        'HTTP: http://localhost:8080/x: status',
        'Addr: tcp://127.0.0.1:22: reachable',
      ],
      fleet: [
        'File: /boot/efi/x: exists',
        'HTTP: https://example.org: status',
        'Addr: tcp://10.0.0.1:22: reachable',
        'KernelParam: kernel.ostype: value',
        'Interface: eth0: exists',
      ],
    });
  });

  test('asks the booted copy for what a link leads to that is filled at boot', () => {
    using folder = new TempFolder();
    const dir = image(folder);
    mkdirSync(join(dir, 'var'), { recursive: true });
    symlinkSync('/run/lock', join(dir, 'var/lock'));
    symlinkSync('../run/systemd/resolve/stub-resolv.conf', join(dir, 'etc/resolv.conf'));
    const { resources } = parseGossFile(
      `
file:
  /var/lock/x: {exists: false}
  /etc/resolv.conf: {exists: true, filetype: symlink, contents: [nameserver]}
  /boot/efi/x: {exists: true}
  ~web/x: {exists: true}
  ~/.bashrc: {exists: true}
`,
      'goss.yaml',
    );
    const system = new ImageSystem(openRootfs(dir));
    const disk = [
      'File: /etc/resolv.conf: exists',
      'File: /etc/resolv.conf: filetype',
      'File: ~web/x: exists',
      'File: ~/.bashrc: exists',
    ];
    const booted = ['File: /var/lock/x: exists', 'File: /etc/resolv.conf: contents'];
    const partition = ['File: /boot/efi/x: exists'];
    expect(sortByTarget(resources, system)).toEqual({ disk, booted, fleet: partition });
    expect(sortByTarget(resources, system, 'vm')).toEqual({
      disk,
      booted: [...booted, ...partition],
      fleet: [],
    });
  });

  test('knows homes, and where a relative link leads from a folder that is a link', async () => {
    using folder = new TempFolder();
    const dir = image(folder, { '/home/web/.profile': 'x\n', '/usr/share/a': 'shared\n' });
    mkdirSync(join(dir, 'usr/lib/inner'), { recursive: true });
    symlinkSync('usr/lib/inner', join(dir, 'inner'));
    symlinkSync('../../share/a', join(dir, 'usr/lib/inner/a'));
    const found = await outcomes(
      dir,
      `
file:
  ~web: {exists: true, filetype: directory}
  ~web/.profile: {exists: true, contents: [x]}
  ~nobody/x: {exists: false}
  ~/x: {exists: false}
  /inner/a: {exists: true, contents: [shared]}
`,
    );
    expect(found['~nobody/x exists']).toBe('user: unknown user nobody');
    delete found['~nobody/x exists'];
    expect(Object.entries(found).filter(([, outcome]) => outcome !== 'pass')).toEqual([]);
  });

  test('never leads out of itself, nor opens what is no file', async () => {
    using folder = new TempFolder();
    const dir = image(folder);
    symlinkSync('../../../../../../etc/nginx.conf', join(dir, 'etc/escape'));
    symlinkSync('/etc/nginx.conf', join(dir, 'etc/absolute'));
    symlinkSync('loop2', join(dir, 'etc/loop'));
    symlinkSync('loop', join(dir, 'etc/loop2'));
    execFileSync('mkfifo', [join(dir, 'etc/pipe')]);
    const found = await outcomes(
      dir,
      `
file:
  /etc/escape: {exists: true, filetype: symlink, contents: [user web]}
  /etc/absolute: {exists: true, linked-to: /etc/nginx.conf, contents: [user web]}
  /etc/loop: {exists: true, contents: [x]}
  /etc/pipe: {exists: true, filetype: pipe, contents: [x]}
  /../../etc/nginx.conf: {exists: true}
  /etc/dir: {path: /etc, exists: true, contents: [x]}
`,
    );
    expect(found['/etc/escape contents']).toBe('pass');
    expect(found['/etc/absolute contents']).toBe('pass');
    expect(found['/etc/loop contents']).toMatch(/too many levels/);
    expect(found['/etc/pipe filetype']).toBe('pass');
    expect(found['/etc/pipe contents']).toMatch(/is a pipe/);
    expect(found['/../../etc/nginx.conf exists']).toBe('pass');
    expect(found['/etc/dir: /etc contents']).toMatch(/is a directory/);
  });

  test.each([
    ['dpkg', '/var/lib/dpkg/status', 'Package: nginx\nVersion: 1\n\ngarbage\n', /has no Status/],
    ['dpkg', '/var/lib/dpkg/status', `${DPKG}Package: next\nStatus: inst`, /ends within a line/],
    ['dpkg', '/var/lib/dpkg/status', `${DPKG}\0\n`, /holds NUL bytes/],
    ['dpkg', '/var/lib/dpkg/status', '', /is empty, though packages are installed/],
    ['apk', '/lib/apk/db/installed', 'garbage\n', /has no name/],
    ['apk', '/lib/apk/db/installed', 'P:nginx\nV:1', /ends within a line/],
    ['rpm', '/var/lib/rpm/rpmdb.sqlite', 'garbage', /no SQLite database/],
  ])('a broken %s database fails the check that asks it: %s %j', async (kind, path, text, message) => {
    using folder = new TempFolder();
    const dir = image(folder, { '/var/lib/dpkg/info/nginx.list': '/x\n', [path]: text });
    if (kind !== 'dpkg') rmSync(join(dir, 'var/lib/dpkg'), { recursive: true });
    const found = await outcomes(dir, 'package: {ghost: {installed: false}}');
    expect(found['ghost installed']).toMatch(message);
  });

  test.each([
    [
      'OpenRC',
      { '/etc/alpine-release': '3.20\n', '/etc/runlevels/default/nginx': '', '/etc/init.d/nginx': '' },
      'service: {nginx: {enabled: true, runlevels: {consist-of: [default]}}, off: {enabled: false}, ../x: {enabled: false}}',
    ],
    [
      'System V',
      { '/etc/rc2.d/S01nginx': '', '/etc/rc5.d/S20nginx': '', '/etc/rc0.d/K01nginx': '' },
      'service: {nginx: {enabled: true, runlevels: {consist-of: ["2", "5"]}}, off: {enabled: false}}',
    ],
  ])('tells what %s starts, where there is no systemd', async (_, files, yaml) => {
    using folder = new TempFolder();
    for (const [path, text] of Object.entries(files)) folder.write(path, text);
    expect([...new Set(Object.values(await outcomes(folder.dir, yaml)))]).toEqual(['pass']);
  });

  test('takes a pattern of packages, as dpkg-query does', async () => {
    using folder = new TempFolder();
    const dir = image(folder, {
      '/var/lib/dpkg/status': `${DPKG}${DPKG.replace('nginx', 'nginx-core').replace('1.22-1', '1.23')}`,
    });
    const found = await outcomes(
      dir,
      'package: {"nginx*": {installed: true, versions: {consist-of: [1.22-1, "1.23"]}}, "ngin[!x]*": {installed: false}, "n?inx:amd64": {installed: true}, "[z-a]": {installed: false}}',
    );
    expect([...new Set(Object.values(found))]).toEqual(['pass']);
  });

  test('asks the database of the distribution, not that of a tool', () => {
    using folder = new TempFolder();
    const { resources } = parseGossFile('package: {nginx: {installed: true}}', 'goss.yaml');
    const dir = image(folder, { '/etc/redhat-release': 'Fedora\n', '/var/lib/rpm/Packages': 'x' });
    expect(sortByTarget(resources, new ImageSystem(openRootfs(dir)))).toEqual({
      disk: [],
      booted: ['Package: nginx: installed'],
      fleet: [],
    });
  });
});
