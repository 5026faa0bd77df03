import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Host } from '../../src/core/host.ts';
import { createHost, openRootfs } from '../../src/host/index.ts';
import { proveSealed, sealImage } from '../../src/seal/index.ts';
import { sealContext } from './tree.ts';

/** Enough to have units of every kind, and a server that needs host keys. */
const PACKAGES =
  'systemd-sysv,systemd-resolved,systemd-timesyncd,dbus,dbus-user-session,openssh-server,cloud-init,nginx-light,cron,rsyslog,ifupdown';

let dir: string;
let base: string;
let host: Host;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-first-boot-'));
  host = createHost({ leaseDir: join(dir, 'leases') });
  base = process.env.INGOT_TEST_SEAL_BASE ?? join(dir, 'base');
  if (existsSync(base)) return;
  execFileSync('mmdebstrap', ['--quiet', '--variant=minbase', `--include=${PACKAGES}`, 'bookworm', base]);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let root: string;
beforeEach(() => {
  root = join(dir, 'root');
  rmSync(root, { recursive: true, force: true });
  execFileSync('cp', ['-a', '--reflink=auto', base, root]);
  provision();
});

function systemctl(...args: string[]): string {
  return execFileSync('systemctl', [`--root=${root}`, '--no-legend', '--no-pager', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** What a template may do to units, each kind of it. */
function provision(): void {
  const unit = (name: string, install: string): void =>
    writeFileSync(
      join(root, 'etc/systemd/system', name),
      `[Service]\nExecStart=/bin/true\n[Install]\n${install}`,
    );
  systemctl('disable', 'nginx.service', 'cron.service');
  systemctl('enable', 'systemd-networkd.service');
  // Enabled with networkd by its Also=, and disabled on its own.
  systemctl('disable', 'systemd-networkd-wait-online.service');
  systemctl('mask', 'rsyslog.service');
  systemctl('disable', 'getty@tty1.service');
  systemctl('enable', 'getty@tty3.service', 'ssh.socket');
  systemctl('set-default', 'multi-user.target');
  unit('worker@.service', 'WantedBy=multi-user.target\nDefaultInstance=one\n');
  systemctl('enable', 'worker@two.service', 'worker@three.service');
  unit('quiet.service', 'WantedBy=multi-user.target\n');
  unit('es\\x2dcaped.service', 'WantedBy=multi-user.target\nAlias=other.service\n');
  systemctl('enable', 'es\\x2dcaped.service');
  mkdirSync(join(root, 'opt/app'), { recursive: true });
  writeFileSync(
    join(root, 'opt/app/app.service'),
    '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n',
  );
  systemctl('link', '/opt/app/app.service');
  systemctl('enable', 'app.service');
}

/** Every unit and its state, without the report's and the one that sealing adds. */
function unitsOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/).slice(0, 2).join(' '))
    .filter((line) => line !== '' && !/^(report|ingot-ssh-host-keys)\.service /.test(line))
    .sort();
}

const enabled = (units: readonly string[]): string[] => units.filter((unit) => unit.endsWith(' enabled'));

function linksOf(): string[] {
  return execFileSync('find', ['etc/systemd', '-type', 'l', '-printf', '%P -> %l\n'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .sort();
}

const seal = () => sealImage(openRootfs(root), { skip: [] }, sealContext());

describe('units enabled before sealing', () => {
  test('are enabled after presets are applied as on a first boot', async () => {
    const before = unitsOf(systemctl('list-unit-files'));
    await seal();
    const links = linksOf();
    systemctl('preset-all', '--preset-mode=enable-only');
    execFileSync('systemctl', [`--root=${root}`, '--global', 'preset-all', '--preset-mode=enable-only'], {
      stdio: 'ignore',
    });
    expect(linksOf()).toEqual(links);
    expect(unitsOf(systemctl('list-unit-files'))).toEqual(before);
  });

  test('are enabled after all presets are applied, but for those enabled in part', async () => {
    systemctl('disable', 'systemd-networkd.service');
    await seal();
    const links = linksOf();
    systemctl('preset-all');
    execFileSync('systemctl', [`--root=${root}`, '--global', 'preset-all'], { stdio: 'ignore' });
    expect(linksOf()).toEqual(links);
  });

  test('would not be without the presets', async () => {
    await sealImage(openRootfs(root), { skip: ['preset'] }, sealContext());
    const before = unitsOf(systemctl('list-unit-files'));
    systemctl('preset-all', '--preset-mode=enable-only');
    const after = unitsOf(systemctl('list-unit-files'));
    expect(after).not.toEqual(before);
    expect(after).toContain('nginx.service enabled');
  });

  test.each(['without', 'with'])('are enabled after a first boot %s a NoCloud seed', async (seeded) => {
    const before = unitsOf(systemctl('list-unit-files'));
    await seal();
    if (seeded === 'with') {
      const folder = join(root, 'var/lib/cloud/seed/nocloud');
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'meta-data'), 'instance-id: i-1\nlocal-hostname: clone\n');
      // cloud-init's default, en_US.UTF-8, is not in a tree this small, sealed or not.
      writeFileSync(join(folder, 'user-data'), '#cloud-config\nlocale: false\n');
    }
    const report = await boot();
    // What generators enable for the time of one boot says so.
    expect(enabled(report.units)).toEqual(enabled(before));
    expect(unitsOf(systemctl('list-unit-files'))).toEqual(before);
    expect(report.failed).toBe('');
    expect(report.firstBoot).toBe(true);
    expect(report.sshd).toBe('active');
    expect(report.journal).not.toMatch(/ordering cycle/i);
    expect(readFileSync(join(root, 'etc/machine-id'), 'utf8')).toMatch(/^[0-9a-f]{32}\n$/);
    const keys = readdirSync(join(root, 'etc/ssh')).filter((name) => /^ssh_host_.*_key$/.test(name));
    expect(keys).toEqual(
      expect.arrayContaining(['ssh_host_ecdsa_key', 'ssh_host_ed25519_key', 'ssh_host_rsa_key']),
    );
    // cloud-init makes keys of its own, and the unit then has nothing to do.
    expect(/generating new host keys/.test(report.journal)).toBe(seeded === 'without');
    expect(readFileSync(join(root, 'etc/hostname'), 'utf8')).toBe(
      seeded === 'with' ? 'clone\n' : 'localhost\n',
    );
  });
});

test('a system that has run is sealed again, and two of its clones share nothing', async () => {
  await seal();
  await boot();
  const find = (name: string): string[] =>
    execFileSync('find', ['.', '-xdev', '-name', name], { cwd: root, encoding: 'utf8' })
      .split('\n')
      .filter(Boolean);
  const id = readFileSync(join(root, 'etc/machine-id'), 'utf8').trim();
  appendFileSync(join(root, 'root/.bash_history'), 'secret\n');
  rmSync(join(root, 'report'), { recursive: true });
  await seal();
  expect(proveSealed(openRootfs(root))).toEqual([]);
  // Looked for by name and by content everywhere, not where the operations look.
  for (const name of [
    'ssh_host_*_key',
    'random-seed',
    'credential.secret',
    '*.journal',
    '.bash_history',
    'authorized_keys',
    '*.leases',
  ])
    expect(find(name)).toEqual([]);
  const holding = execFileSync('sh', ['-c', `grep -rlF ${id} etc var root run tmp usr/local || true`], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(holding).toBe('');
});

interface FirstBoot {
  readonly units: readonly string[];
  readonly failed: string;
  readonly firstBoot: boolean;
  readonly sshd: string;
  readonly journal: string;
}

/** Boots the image in a container until a unit of ours has written down what it saw, and powered it off. */
async function boot(): Promise<FirstBoot> {
  const script = [
    'mkdir /report',
    'systemctl list-unit-files --no-legend --no-pager >/report/units',
    'systemctl list-units --failed --no-legend --no-pager >/report/failed',
    'systemctl start ssh.service; systemctl is-active ssh.service >/report/sshd',
    'systemctl show -P ConditionResult systemd-firstboot.service >/report/first-boot',
    'journalctl -b >/report/journal',
    'systemctl poweroff --no-block',
  ].join('; ');
  writeFileSync(
    join(root, 'etc/systemd/system/report.service'),
    `[Unit]\nDefaultDependencies=no\nAfter=multi-user.target cloud-init.target\n[Service]\nType=oneshot\nExecStart=/bin/sh -c '${script}'\n`,
  );
  const wants = join(root, 'etc/systemd/system/multi-user.target.wants');
  symlinkSync('/etc/systemd/system/report.service', join(wants, 'report.service'));
  await host.run(
    'systemd-nspawn',
    [
      '--quiet',
      '--boot',
      '--register=no',
      '--keep-unit',
      '--settings=no',
      '--console=pipe',
      '--private-network',
      '--timezone=off',
      '--resolv-conf=off',
      '--link-journal=no',
      `--machine=ingot-first-boot-${process.pid}`,
      `--directory=${root}`,
    ],
    { timeoutMs: 300_000 },
  );
  rmSync(join(root, 'etc/systemd/system/report.service'));
  rmSync(join(wants, 'report.service'));
  const read = (name: string): string => readFileSync(join(root, 'report', name), 'utf8');
  return {
    units: unitsOf(read('units')),
    failed: read('failed'),
    firstBoot: read('first-boot').trim() === 'yes',
    sshd: read('sshd').trim(),
    journal: read('journal'),
  };
}
