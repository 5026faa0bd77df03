import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadGossFile } from '../../../../src/checks/goss.ts';
import { mutateImage } from '../../../../src/checks/goss-mutate.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import type { Communicator } from '../../../../src/core/machine.ts';
import { openRootfs } from '../../../../src/host/rootfs.ts';
import { TempFolder } from '../files.ts';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

const FILES: Readonly<Record<string, string>> = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/bash\nwww:x:33:33::/var/www:/usr/sbin/nologin\nme:x:1000:1000::/home/me:/bin/sh\n',
  'etc/group': 'root:x:0:\nsudo:x:27:\nwww:x:33:\n',
  'etc/fstab': 'UUID=1 / ext4 defaults 0 1\nnone /srv/cache tmpfs defaults 0 0\n',
  'etc/sysctl.d/10.conf': 'net.ipv4.ip_forward = 0\n',
  'etc/web/web.conf': '# settings\nuser www;\nserver {\n  listen 80;\n}\n',
  'etc/web/extra.conf': 'changed\n',
  'etc/web/made.conf': 'by a script of the package\n',
  'etc/base.conf': 'as the package brought it\n',
  'opt/app/app.conf': 'mode = fast\n',
  'usr/bin/web': '\x7fELF\0',
  'usr/lib/systemd/systemd': '',
  'usr/lib/systemd/system/web.service':
    '[Service]\nExecStart=/usr/bin/web\n[Install]\nWantedBy=multi-user.target\n',
  'usr/lib/systemd/system/base.service': '[Service]\nExecStart=/x\n[Install]\nWantedBy=multi-user.target\n',
  'var/lib/dpkg/status': [
    'Package: web\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\nVersion: 1\nDepends: libweb (>= 1)\n' +
      `Conffiles:\n /etc/web/web.conf ${md5('# settings\nuser www;\nserver {\n  listen 80;\n}\n')}\n /etc/web/extra.conf ${md5('as it was')}\n`,
    'Package: libweb\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\nVersion: 1\n',
    'Package: base\nStatus: install ok installed\nPriority: required\nArchitecture: amd64\nVersion: 1\n',
  ].join('\n'),
  'var/lib/dpkg/info/web.list':
    '/.\n/usr/bin/web\n/lib/systemd/system/web.service\n/etc/web/web.conf\n/etc/web/extra.conf\n',
  'var/lib/dpkg/info/web.postinst': '#!/bin/sh\ntouch /etc/web/made.conf\n',
  'var/lib/dpkg/info/base.list':
    '/usr/lib/systemd/system/base.service\n/etc/base.conf\n/etc/sysctl.d/10.conf\n',
};

/** Everything of a tree but times, as `ls` and a hash tell it. */
function stateOf(dir: string): string {
  return execFileSync(
    'sh',
    ['-c', 'find . -printf "%p %m %u %g %y %l\\n" | sort; find . -type f | sort | xargs md5sum'],
    {
      cwd: dir,
      encoding: 'utf8',
    },
  );
}

function image(folder: TempFolder): string {
  const dir = join(folder.dir, 'image');
  for (const [path, text] of Object.entries(FILES)) folder.write(join('image', path), text);
  chmodSync(join(dir, 'etc/web/web.conf'), 0o640);
  chmodSync(join(dir, 'usr/bin/web'), 0o4755);
  for (const unit of ['web.service', 'base.service']) {
    const link = join(dir, 'etc/systemd/system/multi-user.target.wants', unit);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(`/usr/lib/systemd/system/${unit}`, link);
  }
  return dir;
}

async function mutate(
  yaml: string,
  o: { mutations?: number; strict?: boolean; machine?: Communicator } = {},
) {
  using folder = new TempFolder();
  const dir = image(folder);
  const before = stateOf(dir);
  const file = loadGossFile(folder.write('goss.yaml', yaml), { vars: {}, env: {} });
  const { machine } = o;
  const report = await mutateImage(
    file,
    { root: openRootfs(dir), ...(machine && { boot: () => Promise.resolve(machine) }) },
    { mutations: o.mutations ?? 1000, strict: o.strict ?? false, retryTimeout: 0, sleep: 0 },
    { clock: systemClock, signal: new AbortController().signal },
  );
  expect(stateOf(dir)).toBe(before);
  const told = report.mutations.map((m) => `${m.type} ${m.subject} ${m.change}`);
  const of = (noticed: boolean, origin: string) =>
    report.mutations
      .filter((m) => m.noticed === noticed && m.origin === origin)
      .map((m) => `${m.type} ${m.subject} ${m.change}`);
  return { ...report, told, of };
}

describe('mutations of what a goss file names', () => {
  test('are noticed by the attributes that speak of them, and by no others', async () => {
    const weak = await mutate('file: {/etc/web/web.conf: {exists: true, mode: "0640"}}');
    expect(weak.of(true, 'named')).toEqual([
      'file /etc/web/web.conf removed',
      'file /etc/web/web.conf mode 0640 to 0642',
    ]);
    expect(weak.of(false, 'named')).toEqual([
      'file /etc/web/web.conf owner 0 to 65534',
      'file /etc/web/web.conf line 2 taken out',
      'file /etc/web/web.conf line 3 taken out',
      'file /etc/web/web.conf line 4 taken out',
    ]);
    const strong = await mutate(
      'file: {/etc/web/web.conf: {exists: true, mode: "0640", owner: root, contents: [user www, "server {", listen 80]}}',
    );
    expect(strong.of(false, 'named')).toEqual([]);
    expect(strong.mutations.find((m) => m.attribute === 'mode')).toMatchObject({
      noticed: true,
      by: 'File: /etc/web/web.conf: mode',
    });
  });

  test.each([
    ['file: {/etc/none: {exists: false}}', ['file /etc/none made']],
    [
      'package: {web: {installed: true}}\nfile: {/usr/bin/web: {exists: true, mode: "4755", owner: root}}',
      [
        'file /usr/bin/web removed',
        'file /usr/bin/web mode 4755 to 4757',
        'file /usr/bin/web owner 0 to 65534',
        'package web taken out of the database',
        'package web its /usr/bin/web removed',
      ],
    ],
    ['package: {telnetd: {installed: false}}', ['package telnetd added to the database']],
    [
      'user: {www: {exists: true, shell: /usr/sbin/nologin, groups: {consist-of: [www]}}}',
      ['user www removed', 'user www shell /usr/sbin/nologin to /bin/sh', 'user www put into the group sudo'],
    ],
    ['user: {toor: {exists: false}}', ['user toor made']],
    ['group: {www: {exists: true, gid: 33}}', ['group www removed', 'group www gid to 65533']],
    ['group: {admins: {exists: false}}', ['group admins made']],
    ['service: {web: {enabled: true}}', ['service web disabled']],
    ['service: {telnet: {enabled: false}}', ['service telnet made']],
    ['kernel-param: {net.ipv4.ip_forward: {value: "0"}}', ['kernel-param net.ipv4.ip_forward 0 to 1']],
    ['mount: {/srv/cache: {exists: true, filesystem: tmpfs}}', ['mount /srv/cache tmpfs to ext4']],
  ])('%s notices all of its own', async (yaml, noticed) => {
    const report = await mutate(yaml);
    expect(report.of(true, 'named').toSorted()).toEqual([...noticed].sort());
  });

  test('that make a check undecidable fail a strict run alone', async () => {
    const yaml = 'mount: {/srv/cache: {exists: true}}';
    expect((await mutate(yaml)).of(false, 'named')).toContain('mount /srv/cache taken out of fstab');
    expect((await mutate(yaml, { strict: true })).of(true, 'named')).toContain(
      'mount /srv/cache taken out of fstab',
    );
  });
});

describe('mutations of what the image brings', () => {
  test('are of changed settings, added files, units, people and packages that were asked for', async () => {
    const { told, mutations } = await mutate('user: {root: {exists: true}}');
    const own = new Set(mutations.filter((m) => m.origin === 'own').map((m) => `${m.type} ${m.subject}`));
    expect([...own]).toEqual([
      'service web.service',
      'file /etc/web/extra.conf',
      'file /opt/app/app.conf',
      'user me',
      'package web',
    ]);
    expect(told).toContain('service web.service stopped');
    expect(told).toContain('file /opt/app/app.conf line 1 taken out: "mode = fast"');
  });

  test('are limited evenly, and always the same', async () => {
    const few = await mutate('user: {root: {exists: true}}', { mutations: 8 });
    expect(few.told).toHaveLength(8);
    expect(new Set(few.mutations.filter((m) => m.origin === 'own').map((m) => m.type)).size).toBe(4);
    expect((await mutate('user: {root: {exists: true}}', { mutations: 8 })).told).toEqual(few.told);
    expect(few.possible).toBeGreaterThan(8);
  });
});

/** A booted copy that knows one service, and which programs run. */
function machineOf(running: Set<string>, comesBack = true): Communicator {
  const answer = (ok: boolean, stdout = '') => Promise.resolve({ exitCode: ok ? 0 : 3, stdout, stderr: '' });
  return {
    exec(argv: readonly string[]) {
      const unit = argv.at(-1) ?? '';
      if (argv[0] !== 'systemctl')
        return answer(true, ['systemd', ...[...running].map((u) => u.replace('.service', ''))].join('\n'));
      if (argv.includes('is-active')) return answer(running.has(unit) || running.has(`${unit}.service`));
      if (argv[1] === 'stop') running.delete(unit);
      else if (comesBack) running.add(unit);
      return answer(true);
    },
  } as unknown as Communicator;
}

describe('a stopped service', () => {
  test('is noticed in the booted copy, and started again', async () => {
    const running = new Set(['web.service']);
    const yaml = 'service: {web: {enabled: true, running: true}}';
    const report = await mutate(yaml, { machine: machineOf(running) });
    expect(report.mutations.filter((m) => m.on === 'booted')).toEqual([
      expect.objectContaining({ subject: 'web', noticed: true, by: 'Service: web: running' }),
    ]);
    expect(running).toEqual(new Set(['web.service']));
  });

  test('that no check asks for goes unnoticed, without a boot where none does', async () => {
    const report = await mutate('process: {other: {running: false}}', {
      machine: machineOf(new Set(['web.service'])),
    });
    expect(report.mutations.find((m) => m.change === 'stopped')).toMatchObject({
      noticed: false,
      on: 'booted',
    });
    const boot = { exec: () => Promise.reject(new Error('booted')) } as unknown as Communicator;
    expect((await mutate('user: {root: {exists: true}}', { machine: boot })).told).toContain(
      'service web.service stopped',
    );
  });

  test('that did not run is left out, and said to be', async () => {
    const report = await mutate('process: {web: {running: false}}', { machine: machineOf(new Set()) });
    expect(report.told.filter((m) => m.includes('stopped'))).toEqual([]);
    expect(report.diagnostics).toMatchObject([{ code: 'goss/not-mutated' }]);
  });
});

test('a file whose checks fail without any mutation tells nothing', async () => {
  await expect(mutate('user: {nobody-here: {exists: true}}')).rejects.toMatchObject({
    code: 'goss/not-passing',
    output: [expect.stringContaining('User: nobody-here: exists')],
  });
});
