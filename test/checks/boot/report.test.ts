import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REPORT_END, REPORT_HEADER } from '../../../src/checks/boot/guest.ts';
import { type GuestReport, parseReport } from '../../../src/checks/boot/report.ts';
import { judgeBoot } from '../../../src/checks/boot/judge-boot.ts';
import { judgeGrowth, judgeReport, SEED_HOSTNAME } from '../../../src/checks/boot/result.ts';

const field = (name: string, text: string): string => `${name} ${Buffer.from(text).toString('base64')}`;

const FIELDS = [
  field('state', 'running'),
  field('failed', ''),
  field('enabled', 'ssh.service\nnginx.service\n'),
  field('times', 'UserspaceTimestampMonotonic=4000000\nFinishTimestampMonotonic=14430234\n'),
  field(
    'kernel-log',
    '[    1.500000] Run /init as init process\n[    4.250000] systemd[1]: systemd 252.39-1~deb12u1 running in system mode (+PAM)\n',
  ),
  field(
    'cloud-init-times',
    'InactiveExitTimestampMonotonic=6000000\nActiveEnterTimestampMonotonic=8000000\n\n' +
      'InactiveExitTimestampMonotonic=9000000\nActiveEnterTimestampMonotonic=12000000\n',
  ),
  field('uptime', '15.31 3.20\n'),
  field('first-boot', 'yes\n'),
  field('machine-id', `${'0a'.repeat(16)}\n`),
  field('hostname', 'web\n'),
  field('os-release', 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12"\nIMAGE_VERSION=1.2.0\n'),
  field('kernel', '6.1.0-56-cloud-amd64\n'),
  field('sizes', '4096 500000\n4194304\n5242880\n'),
  field('cloud-init', '{"v1": {"datasource": "DataSourceNoCloud [seed=/dev/vdb]", "errors": []}}'),
  field('ssh-keys', '256 SHA256:abc root@web (ED25519)\n'),
  field('identity', 'instance-id i-1\n/etc/hostid aa11\n/var/lib/dhcp/a.leases "\\000\\001";\nbroken\n'),
];
const whole = (fields: readonly string[]): string => [REPORT_HEADER, ...fields, REPORT_END, ''].join('\r\n');

describe('parseReport', () => {
  it('reads every field', () => {
    expect(parseReport(whole(FIELDS)).report).toEqual({
      state: 'running',
      failedUnits: [],
      failedLogs: [],
      enabledUnits: ['nginx.service', 'ssh.service'],
      firstBoot: true,
      machineId: '0a'.repeat(16),
      hostname: 'web',
      osRelease: { ID: 'debian', PRETTY_NAME: 'Debian GNU/Linux 12', IMAGE_VERSION: '1.2.0' },
      kernel: '6.1.0-56-cloud-amd64',
      systemdSeconds: 14.430234,
      stages: [
        { name: 'kernel', seconds: 1.5 },
        { name: 'initrd', seconds: 2.75 },
        { name: 'system', seconds: 1.75 },
        { name: 'cloud-init', seconds: 6 },
        { name: 'services', seconds: 2.43 },
      ],
      uptime: 15.31,
      sizes: { filesystem: 2048000000, partition: 2147483648, disk: 2684354560 },
      cloudInit: { datasource: 'DataSourceNoCloud [seed=/dev/vdb]', errors: [] },
      sshKeys: ['256 SHA256:abc root@web (ED25519)'],
      identity: {
        'instance-id': 'i-1',
        '/etc/hostid': 'aa11',
        '/var/lib/dhcp/a.leases': '"\\000\\001";',
      },
    } satisfies GuestReport);
  });

  it('begins behind what firmware writes', () => {
    const noise = '\u001b[2J\u001b[01;01H\u001b[=3hBdsDxe: loading Boot0001\r\n';
    expect(parseReport(noise + whole(FIELDS)).report?.state).toBe('running');
  });

  it('waits for the end', () => {
    const jobs = field('jobs', '12 cloud-final.service start running\n');
    expect(parseReport([REPORT_HEADER, jobs, 'state cnVub'].join('\n'))).toEqual({
      started: true,
      jobs: ['12 cloud-final.service start running'],
    });
    expect(parseReport('Booting…')).toEqual({ started: false, jobs: [] });
  });

  it('distinguishes absent from empty', () => {
    const report = parseReport(whole([field('state', 'running'), field('ssh-keys', '')])).report;
    expect(report?.sshKeys).toEqual([]);
    expect(report?.cloudInit).toBeUndefined();
    expect(report?.firstBoot).toBe(false);
    expect(report?.sizes).toBeUndefined();
  });

  it('survives any guest', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(REPORT_HEADER, REPORT_END, ...FIELDS),
      fc.constant('__proto__ QQ=='),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const { started, report } = parseReport(lines.join('\n'));
        expect(report === undefined || started).toBe(true);
      }),
    );
  });
});

describe('judgeReport', () => {
  const good = parseReport(whole(FIELDS)).report as GuestReport;

  it('is content with a good boot', () => {
    expect(judgeReport(good, false, [])).toEqual([]);
    expect(judgeReport({ ...good, hostname: SEED_HOSTNAME }, true, [])).toEqual([]);
  });

  it.each<[string, Partial<GuestReport>, boolean, RegExp]>([
    [
      'failed units',
      { state: 'degraded', failedUnits: ['nginx.service'] },
      false,
      /failed units: nginx.service/,
    ],
    ['another state', { state: 'maintenance' }, false, /"maintenance"; expected "running"/],
    ['degraded for no reason', { state: 'degraded' }, false, /"degraded"/],
    ['no machine-id', { machineId: 'uninitialized' }, false, /machine-id is "uninitialized"/],
    ['no first boot', { firstBoot: false }, false, /no first boot/],
    ['no host keys', { sshKeys: [] }, false, /no SSH host keys/],
    ['the seed not applied', {}, true, /host name is "web"/],
    ['cloud-init not run', { cloudInit: undefined }, true, /cloud-init did not run/],
    [
      'another data source',
      { hostname: SEED_HOSTNAME, cloudInit: { datasource: 'DataSourceNone', errors: [] } },
      true,
      /DataSourceNone/,
    ],
    [
      'cloud-init errors',
      { cloudInit: { datasource: 'NoCloud', errors: ['locale'] } },
      false,
      /cloud-init: locale/,
    ],
  ])('finds %s', (_, change, seed, finding) => {
    expect(judgeReport({ ...good, ...change }, seed, []).join('\n')).toMatch(finding);
  });

  it('lets units fail that may', () => {
    const degraded = { ...good, state: 'degraded', failedUnits: ['a.service', 'b.service'] };
    expect(judgeReport(degraded, false, ['a.service', 'b.service'])).toEqual([]);
    expect(judgeReport(degraded, false, ['a.service'])).toEqual(['failed units: b.service']);
  });
});

describe('judgeGrowth', () => {
  const good = parseReport(whole(FIELDS)).report as GuestReport;
  const MIB = 1048576;

  it.each<[string, GuestReport['sizes'], RegExp]>([
    [
      'neither grew',
      { filesystem: 800 * MIB, partition: 900 * MIB, disk: 1500 * MIB },
      /has 800 MiB of a disk of 1500 MiB .*partition is still 900 MiB/,
    ],
    [
      'only the partition grew',
      { filesystem: 800 * MIB, partition: 1400 * MIB, disk: 1500 * MIB },
      /grew to 1400 MiB, its filesystem did not/,
    ],
    ['the guest did not say', undefined, /could not be read/],
  ])('%s', (_what, sizes, expected) => {
    expect(judgeGrowth({ ...good, sizes }, 850 * MIB, 512 * MIB)).toMatch(expected);
  });
});

describe('judgeBoot', () => {
  const MIB = 1048576;
  const sizes = { filesystem: 800 * MIB, partition: 900 * MIB, disk: 1500 * MIB };
  const report = { ...(parseReport(whole(FIELDS)).report as GuestReport), sizes };
  const judged = (expect_growth: boolean, rootBytes = 850 * MIB) =>
    judgeBoot(
      { name: 'bios, without seed', firmware: 'bios', seed: false },
      { seconds: 9, firmwareSeconds: 2, report, console: 'last line' },
      { rootBytes, added: 512 * MIB },
      { allow_failed: [], expect_growth },
    );

  it('a root that keeps its size on a larger disk is a finding, unless the image file says so', () => {
    expect(judged(true)).toMatchObject({
      status: 'failed',
      grown: false,
      findings: [expect.stringMatching(/did not grow: the root partition is still/)],
      console: ['last line'],
    });
    expect(judged(false)).toMatchObject({ status: 'passed', grown: false, findings: [], console: [] });
    expect(judged(true, 300 * MIB)).toMatchObject({ status: 'passed', grown: true, bootSeconds: 9 });
  });
});
