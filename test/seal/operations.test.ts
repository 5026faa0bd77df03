import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sealOperations } from '../../src/seal/index.ts';
import { imageOf, sealContext, type Tree, treeOf } from './tree.ts';
import { cpuTime } from '../cpu-time.ts';

const passwd = 'root:x:0:0::/root:/bin/sh\nann:x:1:1::/srv/a[n]n:/bin/sh\nnobody:x:9:9::/nonexistent:/x\n';
const users: Tree = { '/etc/passwd': passwd };
const files = (...paths: string[]): Tree => Object.fromEntries(paths.map((path) => [path, 'x']));

/** What is there before and has to go, and what stays as it is. */
const removes: readonly (readonly [operation: string, gone: Tree, kept: Tree])[] = [
  [
    'ssh-host-keys',
    files(
      '/etc/ssh/ssh_host_rsa_key',
      '/etc/ssh/ssh_host_rsa_key.pub',
      '/etc/ssh/ssh_host_ed25519_key-cert.pub',
      '/etc/ssh/ssh_host_key',
    ),
    files('/etc/ssh/sshd_config', '/etc/ssh/moduli', '/etc/ssh/ssh_known_hosts'),
  ],
  [
    'random-seeds',
    files('/var/lib/systemd/random-seed', '/var/lib/urandom/random-seed', '/boot/efi/loader/random-seed'),
    files('/boot/efi/loader/loader.conf'),
  ],
  [
    'credential-secret',
    files('/var/lib/systemd/credential.secret'),
    files('/var/lib/systemd/catalog/database'),
  ],
  [
    'dhcp-leases',
    files(
      '/var/lib/dhcp/dhclient.eth0.leases',
      '/var/lib/dhcpcd/duid',
      '/etc/dhcpcd.duid',
      '/var/lib/NetworkManager/internal-1-eth0.lease',
      '/var/lib/NetworkManager/secret_key',
    ),
    files('/etc/dhcp/dhclient.conf', '/var/lib/NetworkManager/NetworkManager.state'),
  ],
  [
    'cloud-init',
    {
      '/var/lib/cloud/instance': '-> /var/lib/cloud/instances/i-1',
      ...files(
        '/var/lib/cloud/instances/i-1/user-data.txt',
        '/var/lib/cloud/data/instance-id',
        '/var/lib/cloud/sem/x',
        '/var/log/cloud-init.log',
        '/etc/netplan/50-cloud-init.yaml',
        '/etc/sudoers.d/90-cloud-init-users',
      ),
    },
    files(
      '/var/lib/cloud/seed/nocloud/user-data',
      '/var/lib/cloud/scripts/per-boot/mine.sh',
      '/etc/cloud/cloud.cfg',
      '/etc/netplan/01-mine.yaml',
    ),
  ],
  ['journal', files('/var/log/journal/4f/system.journal'), files('/var/log/syslog')],
  [
    'logs',
    files('/var/log/dpkg.log', '/var/log/apt/history.log', '/var/log/od[d]'),
    {
      '/var/log/wtmp': '',
      '/var/log/README': '-> ../../usr/share/doc/x',
      '/var/log/journal/4f/a.journal': 'x',
    },
  ],
  [
    'histories',
    files('/root/.bash_history', '/home/bob/.python_history', '/srv/a[n]n/.lesshst'),
    {
      ...users,
      '/home/bob/.bashrc': 'x',
      '/home/eve/.bash_history': '-> /dev/null',
      '/srv/ann/.lesshst': 'x',
    },
  ],
  [
    'package-caches',
    files(
      '/var/cache/apt/archives/a_1_all.deb',
      '/var/cache/apt/pkgcache.bin',
      '/var/lib/apt/lists/deb_InRelease',
      '/var/lib/apt/lists/auxfiles/x',
      '/var/lib/apt/lists/partial/x',
      '/var/cache/debconf/config.dat-old',
      '/root/.cache/pip/http/x',
      '/home/bob/.npm/_cacache/x',
    ),
    files('/var/cache/debconf/config.dat', '/var/lib/apt/extended_states', '/root/.cache/mine'),
  ],
  [
    'mail-spool',
    files('/var/mail/root', '/var/spool/exim4/input/1-H', '/var/spool/postfix/deferred/A/1'),
    files('/etc/aliases', '/var/spool/postfix/pid/master.pid'),
  ],
  [
    'crash-dumps',
    files('/var/crash/_usr_bin_x.0.crash', '/var/lib/systemd/coredump/core.x'),
    files('/var/lib/systemd/timers/x'),
  ],
  [
    'backup-files',
    files(
      '/etc/passwd-',
      '/etc/shadow-',
      '/etc/.pwd.lock',
      '/var/backups/dpkg.status.0',
      '/var/lib/dpkg/status-old',
    ),
    { ...users, '/var/lib/dpkg/status': 'x', '/etc/mine.bak': 'x' },
  ],
  [
    'login-keys',
    files(
      '/root/.ssh/authorized_keys',
      '/root/.ssh/id_ed25519',
      '/srv/a[n]n/.ssh/known_hosts',
      '/home/bob/.ssh/id_rsa.pub',
    ),
    { ...users, '/root/.ssh/config': 'x', '/etc/ssh/authorized_keys': 'x' },
  ],
  [
    'provisioner-residue',
    files(
      '/tmp/packer-provisioner-ansible-local/x',
      '/root/.ansible/tmp/x',
      '/home/bob/.ansible_async/x',
      '/etc/chef/client.pem',
      '/etc/salt/pki/minion/minion.pem',
      '/etc/puppetlabs/puppet/ssl/certs/x',
      '/var/lib/ingot/x',
    ),
    files('/etc/ansible/hosts', '/etc/salt/minion', '/etc/chef/client.rb'),
  ],
  ['temporary-files', files('/tmp/a/b', '/var/tmp/.c', '/run/d', '/run/lock/e'), files('/var/x')],
  [
    'waagent',
    files('/var/lib/waagent/ovf-env.xml', '/var/log/waagent.log', '/var/log/azure/x'),
    files('/usr/sbin/waagent'),
  ],
  [
    'network-identity',
    files('/etc/udev/rules.d/70-persistent-net.rules'),
    files('/etc/udev/rules.d/80-mine.rules'),
  ],
];

const named = (name: string) => {
  const found = sealOperations.find((operation) => operation.name === name);
  if (!found) throw new Error(`no operation ${name}`);
  return found;
};

describe.each(removes)('%s', (name, gone, kept) => {
  test('removes what it should, nothing else, and says so', async () => {
    const root = imageOf({ ...gone, ...kept, ...users });
    const removed = await named(name).offline?.(root, sealContext());
    expect(treeOf(root)).toEqual({ ...users, ...kept });
    expect(removed?.reduce((sum, r) => sum + r.files, 0)).toBe(Object.keys(gone).length);
  });

  test('finds all of it before, changing nothing, and nothing after', async () => {
    const before = { ...gone, ...kept, ...users };
    const root = imageOf(before);
    expect(named(name).find(root).length).toBeGreaterThan(0);
    expect(treeOf(root)).toEqual(before);
    await named(name).offline?.(root, sealContext());
    expect(named(name).find(root)).toEqual([]);
  });
});

/** Files before and after, for operations that write. */
const rewrites: readonly (readonly [operation: string, what: string, before: Tree, after: Tree])[] = [
  [
    'machine-id',
    'an id',
    { '/etc/machine-id': 'f00\n', '/var/lib/dbus/machine-id': 'f00\n' },
    { '/etc/machine-id': 'uninitialized\n', '/var/lib/dbus/machine-id': '-> /etc/machine-id' },
  ],
  [
    'machine-id',
    'none, with systemd',
    files('/lib/systemd/systemd'),
    { ...files('/lib/systemd/systemd'), '/etc/machine-id': 'uninitialized\n' },
  ],
  ['machine-id', 'none, without systemd', {}, {}],
  [
    'machine-id',
    'a link to an id elsewhere',
    { '/etc/machine-id': '-> /var/id', '/var/id': 'f00\n' },
    { '/etc/machine-id': 'uninitialized\n', '/var/id': 'f00\n' },
  ],
  [
    'hostname',
    'a name',
    {
      '/etc/hostname': 'builder-7\n',
      '/etc/hosts': '127.0.0.1 localhost\n127.0.1.1\tbuilder-7 b\n::1 localhost\n',
    },
    { '/etc/hostname': 'localhost\n', '/etc/hosts': '127.0.0.1 localhost\n::1 localhost\n' },
  ],
  ['hostname', 'no name', { '/etc/hosts': '10.0.0.1 a\n' }, { '/etc/hosts': '10.0.0.1 a\n' }],
  ['hostname', 'a link to nowhere', { '/etc/hostname': '-> /run/name' }, { '/etc/hostname': 'localhost\n' }],
  ['logs', 'login records', { '/var/log/wtmp': 'x', '/var/log/a/wtmp': 'x' }, { '/var/log/wtmp': '' }],
  [
    'network-identity',
    "resolver's file of DHCP",
    { '/etc/resolv.conf': '# Generated by NetworkManager\nnameserver 10.0.0.1\n' },
    { '/etc/resolv.conf': '' },
  ],
  [
    'network-identity',
    "resolver's file of dhclient",
    { '/etc/resolv.conf': '; generated by /usr/sbin/dhclient-script\nnameserver 10.0.0.1\n' },
    { '/etc/resolv.conf': '' },
  ],
  [
    'network-identity',
    "template's resolver's file",
    { '/etc/resolv.conf': 'nameserver 10.0.0.1\n' },
    { '/etc/resolv.conf': 'nameserver 10.0.0.1\n' },
  ],
  [
    'network-identity',
    'interfaces of ifupdown',
    {
      '/etc/network/interfaces':
        'iface e0 inet dhcp\n  hwaddress ether 52:54:00:12:34:56\n  hwaddress random\n',
    },
    { '/etc/network/interfaces': 'iface e0 inet dhcp\n  hwaddress random\n' },
  ],
  [
    'network-identity',
    'keyfiles',
    {
      '/etc/NetworkManager/system-connections/a':
        '[ethernet]\nmac-address=52:54:00:12:34:56\ncloned-mac-address=stable\n',
    },
    { '/etc/NetworkManager/system-connections/a': '[ethernet]\ncloned-mac-address=stable\n' },
  ],
  [
    'waagent',
    "root's password where the agent's configuration says so",
    {
      ...files('/usr/sbin/waagent'),
      '/etc/waagent.conf': 'Provisioning.DeleteRootPassword=y\n',
      '/etc/shadow': 'root:$6$x:1::\nann:$6$y:1::\n',
    },
    {
      ...files('/usr/sbin/waagent'),
      '/etc/waagent.conf': 'Provisioning.DeleteRootPassword=y\n',
      '/etc/shadow': 'root:*:1::\nann:$6$y:1::\n',
    },
  ],
  [
    'waagent',
    "root's password where not",
    {
      ...files('/usr/sbin/waagent'),
      '/etc/waagent.conf': 'Provisioning.DeleteRootPassword=n\n',
      '/etc/shadow': 'root:$6$x:1::\n',
    },
    {
      ...files('/usr/sbin/waagent'),
      '/etc/waagent.conf': 'Provisioning.DeleteRootPassword=n\n',
      '/etc/shadow': 'root:$6$x:1::\n',
    },
  ],
];

test.each(rewrites)('%s: %s', async (name, _what, before, after) => {
  const root = imageOf(before);
  await named(name).offline?.(root, sealContext());
  expect(treeOf(root)).toEqual(after);
  expect(named(name).find(root)).toEqual([]);
});

test('a file rewritten keeps bytes that are no UTF-8', async () => {
  const root = imageOf({ '/etc/hosts': '' });
  root.write('/etc/hosts', Buffer.from('127.0.1.1 b\n# caf\u00e9\n', 'latin1'));
  await named('hostname').offline?.(root, sealContext());
  expect(Buffer.from(root.readBytes('/etc/hosts')).toString('latin1')).toBe('# caf\u00e9\n');
});

test('a log of a user who may not write to its folder is emptied, for nobody could make it anew', async () => {
  const root = imageOf({ '/var/log/own/a.log': 'x', '/var/log/nginx/access.log': 'x' });
  const owners: Record<string, number> = {
    '/var/log/nginx/access.log': 33,
    '/var/log/own': 7,
    '/var/log/own/a.log': 7,
  };
  const owned = (path: string, stat: ReturnType<typeof root.lstat>) =>
    stat && Object.assign(Object.create(stat) as typeof stat, { uid: owners[path] ?? 0 });
  const lying = Object.assign(Object.create(root) as typeof root, {
    lstat: (path: string) => owned(path, root.lstat(path)),
    *walk(path: string) {
      for (const entry of root.walk(path)) yield { path: entry.path, stat: owned(entry.path, entry.stat) };
    },
  });
  expect(named('logs').find(lying)).toEqual([
    { action: 'empty', path: '/var/log/nginx/access.log' },
    { action: 'remove', path: '/var/log/own/a.log' },
  ]);
});

test('files made to be slow are not', () => {
  const root = imageOf({
    '/etc/resolv.conf': '# generated by '.repeat(200_000),
    '/etc/waagent.conf': '\n'.repeat(1_000_000),
    '/usr/sbin/waagent': 'x',
    '/etc/netplan/a.yaml': '      match: {macaddress: a}\n'.repeat(9000),
    '/etc/systemd/network/a.link': '[Match]\n'.repeat(200_000),
    '/usr/lib/systemd/system/a.service': '[Install]\nAlso=a.service \\\n'.repeat(100_000),
  });
  const taken = cpuTime();
  for (const operation of sealOperations) operation.find(root);
  expect(taken()).toBeLessThan(8000);
  root.write('/etc/netplan/a.yaml', 'x'.repeat(300_000));
  expect(() => named('network-identity').find(root)).toThrow(/a\.yaml has 300000 bytes/);
});

test('where sshd and systemd are, a unit makes host keys anew, and keeps to that', async () => {
  const root = imageOf(
    files('/usr/sbin/sshd', '/usr/bin/ssh-keygen', '/usr/bin/systemctl', '/etc/ssh/ssh_host_rsa_key'),
  );
  await named('ssh-host-keys').offline?.(root, sealContext());
  const link = '/etc/systemd/system/multi-user.target.wants/ingot-ssh-host-keys.service';
  const unit = root.readText(root.readLink(link));
  expect(unit).toContain('ExecStart=/usr/bin/ssh-keygen -A\n');
  // Sockets come before basic.target, which the unit comes after.
  expect(unit).not.toMatch(/^Before=.*\.socket/m);
  expect(named('ssh-host-keys').find(root)).toEqual([]);
});

test('the page lists every operation, in their order', () => {
  const page = readFileSync(new URL('../../docs/seal/README.md', import.meta.url), 'utf8');
  const listed = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]);
  expect(listed).toEqual(sealOperations.map((operation) => operation.name));
});

test('every operation says what it does and has a name and a version', () => {
  const names = sealOperations.map((operation) => operation.name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, doc, version } of sealOperations) {
    expect(name).toMatch(/^[a-z][a-z-]+$/);
    expect(doc).toMatch(/^[A-Z].*\.$/);
    expect(version).toBeGreaterThan(0);
  }
});
