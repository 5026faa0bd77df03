import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/app/package-root.ts';
import { hardeningFile, privilegeRules } from '../../src/app/policy-files.ts';
import { checkHardening, hardeningId } from '../../src/checks/hardening.ts';
import { loadGossFile } from '../../src/checks/goss.ts';
import { findWeakChecks } from '../../src/checks/goss/weak.ts';
import { systemClock } from '../../src/core/clock.ts';
import { parsePrivilegeRule } from '../../src/policy/privilege-rules.ts';
import { HARDENING_SETS, PRIVILEGE_LISTS } from '../../src/policy/spec.ts';
import { dpkgEntry, imageOf } from '../scan/image-tree.ts';

const shipped = (folder: string) =>
  readdirSync(join(packageRoot(), 'policies', folder))
    .map((name) => name.replace(/\.[a-z]+$/, ''))
    .sort();
const ctx = { clock: systemClock, signal: new AbortController().signal };

describe('what comes with Ingot', () => {
  test('is what the names stand for', () => {
    expect(shipped('hardening')).toEqual([...HARDENING_SETS].sort());
    expect(shipped('privileged')).toEqual([...PRIVILEGE_LISTS].sort());
    const rules = privilegeRules({ allow_privileged: PRIVILEGE_LISTS } as never);
    expect(rules.length).toBeGreaterThan(20);
    for (const rule of rules) expect(parsePrivilegeRule(rule).privileges, rule).not.toBeUndefined();
  });

  test.each(HARDENING_SETS)('%s: every check has an id, a title, a reason and requirements', (set) => {
    const { resources, diagnostics } = hardeningFile(set, '/');
    expect(diagnostics).toEqual([]);
    expect(findWeakChecks(resources, true)).toEqual([]);
    expect(resources.length).toBeGreaterThanOrEqual(40);
    expect(new Set(resources.map(hardeningId)).size).toBe(resources.length);
    for (const resource of resources) {
      const meta = resource.attributes.get('meta') as ReadonlyMap<string, unknown>;
      expect(meta.get('id')).toMatch(/^[a-z0-9-]+$/);
      expect(resource.attributes.get('title')).toMatch(/\w{2}/);
      expect(meta.get('reason')).toMatch(/\w{2}.*\.$/);
      const requirements = meta.get('pci-dss') as readonly string[];
      expect(requirements.length).toBeGreaterThan(0);
      for (const number of requirements) expect(number).toMatch(/^(?:[1-9]|1[0-2])(?:\.\d{1,2}){2,3}$/);
    }
  });

  test('a damaged package database fails what asks it, and lets nothing out as not installed', async () => {
    const root = imageOf({ 'var/lib/dpkg/status': 'garbage\n', 'etc/passwd': 'root:x:0:0::/root:/bin/sh\n' });
    const results = await checkHardening(hardeningFile('debian-level1', '/'), root, ctx);
    expect(results.filter(({ status }) => status === 'n/a')).toEqual([]);
    expect(results.map(({ message }) => message).join('\n')).toMatch(/dpkg database is damaged/);
  });

  test.each(HARDENING_SETS)('%s is decided on the disk alone', async (set) => {
    const packages = ['openssh-server', 'login', 'sudo', 'auditd'];
    const status = packages.map((Package) => dpkgEntry({ Package, Version: '1' })).join('');
    const root = imageOf({
      'var/lib/dpkg/status': status,
      'usr/lib/systemd/x': '',
      'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
    });
    const results = await checkHardening(hardeningFile(set, '/'), root, ctx);
    expect(results.map(({ id }) => id)).toEqual(results.map(({ id }) => id).toSorted());
    for (const { id, message = '', status: verdict } of results) {
      expect(message, id).not.toContain('the disk alone does not tell');
      expect(verdict, id).not.toBe('n/a');
    }
  });
});

const LEVEL1 = hardeningFile('debian-level1', '/');

/** An image that passes level 1, with some of its files as `broken` says. */
const GOOD: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nwww:x:33:33::/srv:/usr/sbin/nologin\n',
  'etc/group': 'root:x:0:\nshadow:x:42:\nwww:x:33:\n',
  'etc/shadow': 'root:*:19000:0:99999:7:::\n',
  'etc/gshadow': 'root:*::\n',
  'etc/login.defs': 'UMASK\t\t027\nENCRYPT_METHOD YESCRYPT\n',
  'etc/sudoers': 'Defaults\tuse_pty\nroot ALL=(ALL:ALL) ALL\n',
  'etc/ssh/sshd_config': 'PermitRootLogin no\nPasswordAuthentication no\nMaxAuthTries 3\nLoginGraceTime 30\n',
  'root/.profile': '',
  'srv/page': '',
  'etc/sysctl.d/60.conf': [
    'kernel.randomize_va_space=2',
    'kernel.dmesg_restrict=1',
    'kernel.kptr_restrict=2',
    'kernel.unprivileged_bpf_disabled=1',
    'kernel.yama.ptrace_scope=1',
    'fs.suid_dumpable=0',
    'fs.protected_hardlinks=1',
    'fs.protected_symlinks=1',
    'net.ipv4.conf.all.send_redirects=0',
    'net.ipv4.conf.all.accept_redirects=0',
    'net.ipv4.conf.default.accept_redirects=0',
    'net.ipv6.conf.all.accept_redirects=0',
    'net.ipv4.conf.all.accept_source_route=0',
    'net.ipv4.conf.all.rp_filter=1',
    'net.ipv4.icmp_echo_ignore_broadcasts=1',
    'net.ipv4.tcp_syncookies=1',
  ].join('\n'),
  'var/lib/dpkg/status': ['openssh-server', 'login', 'sudo']
    .map((Package) => dpkgEntry({ Package, Version: '1' }))
    .join(''),
};
const MODES: Readonly<Record<string, number>> = {
  'etc/passwd': 0o644,
  'etc/group': 0o644,
  'etc/shadow': 0o640,
  'etc/gshadow': 0o640,
  'etc/ssh/sshd_config': 0o644,
  root: 0o700,
  'srv/page': 0o644,
};

async function weaknesses(broken: Record<string, string> = {}, modes: Record<string, number> = {}) {
  const root = imageOf({ ...GOOD, ...broken });
  for (const [path, mode] of Object.entries({ ...MODES, ...modes })) chmodSync(join(root.dir, path), mode);
  const results = await checkHardening(LEVEL1, root, ctx);
  return results.filter(({ status }) => status === 'failed');
}

// Files of the test belong to who runs it: what asks for root's only holds for root.
describe.skipIf(process.getuid?.() !== 0)('level 1', () => {
  test('passes where everything is as it asks', async () => {
    expect(await weaknesses()).toEqual([]);
  });

  test.each<[string, Record<string, string>, Record<string, number>, RegExp]>([
    [
      'ssh-root-login',
      { 'etc/ssh/sshd_config': `PermitRootLogin yes\n${GOOD['etc/ssh/sshd_config']}` },
      {},
      /found permitrootlogin yes, expected/,
    ],
    [
      'ssh-passwords',
      { 'etc/ssh/sshd_config': (GOOD['etc/ssh/sshd_config'] ?? '').replace('PasswordAuthentication no', '') },
      {},
      /found passwordauthentication yes/,
    ],
    ['shadow-file-mode', {}, { 'etc/shadow': 0o644 }, /mode: Expected "0644"/],
    ['shadow-file-mode', { 'etc/shadow': 'root:*:1::::::\nguest::1::::::\n' }, {}, /contents/],
    ['root-home-mode', {}, { root: 0o755 }, /mode: Expected "0755"/],
    ['world-writable-files', {}, { 'srv/page': 0o666 }, /found \/srv\/page/],
    ['sticky-folders', {}, { srv: 0o777 }, /found \/srv$/],
    [
      'unowned-files',
      { 'etc/group': 'root:x:0:\n', 'etc/passwd': 'www:x:33:0::/:/usr/sbin/nologin\n' },
      {},
      /found \//,
    ],
    ['one-root', { 'etc/passwd': `${GOOD['etc/passwd']}toor:x:0:0::/:/bin/sh\n` }, {}, /found toor:x:0/],
    [
      'system-accounts',
      { 'etc/passwd': `${GOOD['etc/passwd']}db:x:101:33::/:/bin/bash\n` },
      {},
      /found db:x:101/,
    ],
    ['umask', { 'etc/login.defs': 'UMASK 022\nENCRYPT_METHOD SHA512\n' }, {}, /found no such line/],
    ['aslr', { 'etc/sysctl.d/99.conf': 'kernel.randomize_va_space = 0\n' }, {}, /Expected "0"/],
    ['ptrace', { 'etc/sysctl.d/60.conf': '' }, {}, /no file of sysctl\.d sets kernel\.yama\.ptrace_scope/],
    ['sudo-pty', { 'etc/sudoers': 'root ALL=(ALL:ALL) ALL\n' }, {}, /found no such line/],
    [
      'no-telnet',
      {
        'var/lib/dpkg/status': `${GOOD['var/lib/dpkg/status']}${dpkgEntry({ Package: 'telnet', Version: '1' })}`,
      },
      {},
      /installed/,
    ],
  ])('%s', async (id, broken, modes, message) => {
    const found = await weaknesses(broken, modes);
    expect(found.find((f) => f.id === id)?.message).toMatch(message);
  });
});

test('a check that the file skips has not passed', async () => {
  const file = loadGossFile('own.yaml', {
    vars: {},
    env: {},
    text: 'file: {/etc/shadow: {exists: false, skip: true}, /etc/passwd: {exists: true}}\n',
  });
  const results = await checkHardening(file, imageOf({ 'etc/passwd': '', 'etc/shadow': '' }), ctx);
  expect(results.map(({ id, status }) => [id, status])).toEqual([
    ['file:/etc/passwd', 'passed'],
    ['file:/etc/shadow', 'failed'],
  ]);
});

test('a check of a package that is not there does not apply; what the disk does not decide fails', async () => {
  const file = loadGossFile('own.yaml', {
    vars: {},
    env: {},
    text: `command:
  a: {exec: uptime, exit-status: 0, meta: {package: ntp}}
  b: {exec: uptime, exit-status: 0}
`,
  });
  const results = await checkHardening(file, imageOf({ 'var/lib/dpkg/status': '' }), ctx);
  expect(results).toEqual([
    { id: 'command:a', title: 'Command a', status: 'n/a' },
    {
      id: 'command:b',
      title: 'Command b',
      status: 'failed',
      message: 'exit-status: the disk alone does not tell what uptime says',
    },
  ]);
});
