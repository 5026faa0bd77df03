import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, type Json, sha256 } from '../../src/core/digest.ts';
import type { StepStatus } from '../../src/core/event.ts';
import type { BuildRecord } from '../../src/engine/record.ts';
import type { TestOutcome } from '../../src/plan/catalog.ts';
import { type PlannedStep, planStep, type StepKind } from '../../src/plan/types.ts';

/** Names that a page must show as they are: markup, attributes, styles, scripts, and text that turns around. */
export const HOSTILE = [
  '<script>document.title="owned"</script>',
  '"><img src=x onerror=document.title="owned">',
  "'><svg onload=document.title='owned'>",
  '</script></style></table><b>bold</b>',
  'name\u202egnp.exe',
];

interface Part {
  readonly kind: StepKind;
  readonly label: string;
  readonly title: string;
  readonly type: string;
  readonly status: StepStatus;
  /** Seconds from the start of the build, and for how long. */
  readonly ran: readonly [number, number];
  readonly result?: Json;
  readonly outcome?: TestOutcome;
  readonly volatile?: string;
}

/** The build of a web server that was proven in every way. `dir`: where its bill of materials is written. */
export function sampleRecord(dir: string, o: { readonly vulnerable?: boolean } = {}): BuildRecord {
  const vulnerable = o.vulnerable ?? false;
  const parts: Part[] = [
    part('source', 'mmdebstrap base', 'mmdebstrap.base', 'mmdebstrap', 'cached', [0, 0]),
    part('provisioner', 'file site/', 'file[0]', 'file', 'cached', [0, 0]),
    {
      ...part('provisioner', 'shell harden.sh', 'shell[1]', 'shell', 'done', [0.4, 18.2]),
      result: { summary: 'changed 14 files' },
      volatile: 'timestamp()',
    },
    part('boot-config', 'boot loader and fstab', 'boot-config', 'boot-config', 'done', [18.7, 6.1]),
    part('stamp', 'stamp', 'stamp', 'stamp', 'done', [24.9, 0.2]),
    { ...part('seal', 'seal', 'seal', 'seal', 'done', [25.2, 1.4]), result: SEAL },
    part('disk', 'disk', 'disk', 'disk', 'done', [26.7, 9.8]),
    part('output', 'output qcow2', 'qcow2', 'output', 'done', [36.6, 21.3]),
    part('output', 'output cyclonedx', 'cyclonedx', 'output', 'done', [36.6, 21.3]),
    { ...part('test', 'test residue', 'residue', 'residue', 'done', [36.6, 3.2]), outcome: RESIDUE },
    { ...part('test', 'test secrets', 'secrets', 'secrets', 'done', [36.7, 2.6]), outcome: PATTERNS },
    {
      ...part('test', 'test vulnerabilities', 'vulnerabilities', 'vulnerabilities', 'done', [39.4, 1.9]),
      status: vulnerable ? 'failed' : 'done',
      outcome: vulnerabilityOutcome(vulnerable),
    },
    { ...part('test', 'test goss', 'goss', 'goss', 'done', [40.1, 44.8]), outcome: goss() },
    { ...part('test', 'test boot', 'boot', 'boot', 'done', [41.4, 97.5]), outcome: BOOT },
    part('release', 'release', 'release', 'release', vulnerable ? 'skipped' : 'done', [139, 1.1]),
  ];
  const steps = parts.map(stepOf);
  const bill = writeBill(dir);
  const disk = { format: 'qcow2', fileName: 'web-1.2.0.qcow2', digest: sha256('qcow2'), size: 223_412_224 };
  return {
    image: {
      name: 'web',
      version: '1.2.0',
      build: 'web.mmdebstrap.base',
      source: { type: 'mmdebstrap', name: 'base' },
      produces: 'rootfs',
      needs: { memory: 0, cpus: 0 },
      epoch: 1_763_000_000,
      steps,
      annotations: {
        'org.opencontainers.image.title': 'web',
        'org.opencontainers.image.version': '1.2.0',
        'org.opencontainers.image.revision': '3f2a9c1d7b6e5f40918273645a5b4c3d2e1f0a9b',
        'dev.ingot.dirty': 'false',
        'dev.ingot.template': sha256('template'),
        'dev.ingot.lock': sha256('lock'),
      },
      outputDir: dir,
    },
    lock: {
      version: 1,
      entries: {
        'mmdebstrap.base': {
          kind: 'apt',
          request: sha256('request'),
          packages: [],
          tools: [],
          suites: ['bookworm', 'bookworm-security'].map((suite, i) => ({
            archive: i === 0 ? 'debian' : 'debian-security',
            suite,
            components: ['main'],
            inRelease: sha256(suite),
            date: 1_762_900_000 + i * 100_000,
          })),
        },
      },
    },
    started: new Date('2026-11-21T14:03:00Z'),
    seconds: 140.3,
    steps: steps.map((step, i) => {
      const { status, ran, result } = parts[i] as Part;
      const end = { status, start: ran[0], seconds: ran[1] };
      return { step, end, ...(result !== undefined && { result }) };
    }),
    tests: new Map(
      parts.flatMap(({ outcome }, i): [Digest, TestOutcome][] =>
        outcome ? [[(steps[i] as PlannedStep).id, outcome]] : [],
      ),
    ),
    outputs: [{ ...disk, path: join(dir, disk.fileName) }, bill],
    ...(!vulnerable && {
      release: { digest: sha256('release'), store: 'oci-layout:/srv/releases', existed: false },
    }),
  };
}

function part(
  kind: StepKind,
  title: string,
  label: string,
  type: string,
  status: StepStatus,
  ran: readonly [number, number],
): Part {
  return { kind, title, label: `web/${label}`, type, status, ran };
}

function stepOf({ kind, label, title, type, volatile }: Part): PlannedStep {
  return planStep({
    label,
    title,
    spec: { kind, type, version: 1, options: { label }, inputs: [], files: [], epoch: 1 },
    options: {},
    meta: {},
    after: [],
    cacheable: kind !== 'release',
    ...(volatile !== undefined && { volatile }),
  });
}

const SEAL = {
  summary: '9 files removed, 2 written, 1.9 MB',
  operations: [
    {
      name: 'machine-id',
      skipped: false,
      removed: [{ path: '/etc/machine-id', action: 'emptied', files: 1, bytes: 33 }],
    },
    {
      name: 'ssh-host-keys',
      skipped: false,
      removed: ['ecdsa', 'ed25519', 'rsa'].map((k) => ({
        path: `/etc/ssh/ssh_host_${k}_key`,
        action: 'removed',
        files: 2,
        bytes: 1012,
      })),
    },
    {
      name: 'package-caches',
      skipped: false,
      removed: [{ path: '/var/cache/apt', action: 'removed', files: 2, bytes: 1_884_160 }],
    },
    {
      name: 'first-boot-wizard',
      skipped: false,
      removed: [
        {
          path: '/etc/systemd/system/systemd-firstboot.service',
          action: 'added',
          files: 1,
          bytes: 0,
          detail: 'masked',
        },
      ],
    },
    { name: 'histories', skipped: false, removed: [] },
    { name: 'journal', skipped: false, removed: [] },
    { name: 'mail-spool', skipped: true, removed: [] },
  ],
};

const RESIDUE: TestOutcome = {
  passed: true,
  checks: [
    { name: 'var.admin_password', passed: true },
    { name: 'ref+vault://kv/web/token', passed: true },
  ],
  data: {
    secrets: [
      { name: 'var.admin_password', status: 'clean', places: [] },
      { name: 'ref+vault://kv/web/token', status: 'clean', places: [] },
    ],
    searched: 2_147_483_648,
    seconds: 3.1,
  },
};

const PATTERNS: TestOutcome = {
  passed: true,
  checks: [{ name: 'no secrets', passed: true, message: '4112 text files searched' }],
  data: { findings: [], files: 4112, tooLarge: [] },
};

function stagesOf(...seconds: readonly number[]) {
  const names = ['firmware', 'kernel', 'initrd', 'system', 'cloud-init', 'services'];
  return names.map((name, i) => ({ name, seconds: seconds[i] ?? 0 }));
}

const BOOT: TestOutcome = {
  passed: true,
  checks: [
    {
      name: 'bios, with seed',
      passed: true,
      seconds: 41.2034,
      stages: stagesOf(1.8, 4.2, 3.3, 7.4, 16.1, 7.9),
    },
    {
      name: 'uefi, with seed',
      passed: true,
      seconds: 46.75,
      stages: stagesOf(6.9123, 4.4, 3.2, 7.6, 16, 8.1),
    },
    {
      name: 'bios, without seed',
      passed: true,
      seconds: 39.1,
      stages: stagesOf(1.7, 4.1, 3.4, 7.1, 14.2, 8),
    },
    {
      name: 'clones differ',
      passed: true,
      message: 'compared: /etc/machine-id, /var/lib/systemd/random-seed, instance-id',
    },
  ],
  data: {},
};

function goss(): TestOutcome {
  const packages = ['nginx', 'openssh-server', 'chrony', 'nftables', 'ca-certificates'];
  const checks = [
    ...packages.flatMap((p) => [`package: ${p}: installed`, `package: ${p}: version`]),
    ...['nginx', 'ssh', 'chrony'].flatMap((s) => [`service: ${s}: enabled`, `service: ${s}: running`]),
    ...HOSTILE.map((name) => `file: /srv/${name}: exists`),
    'port: tcp:80: listening',
    'http: http://localhost/: status',
  ];
  return {
    passed: true,
    checks: checks.map((name, i) => ({ name, passed: true, seconds: 0.004 * (i % 7) })),
    data: {},
  };
}

function vulnerabilityOutcome(vulnerable: boolean): TestOutcome {
  const vulnerability = (
    id: string,
    name: string,
    installed: string,
    urgency: string,
    verdict: string,
    why: string,
    fixed?: string,
  ) => ({
    id,
    name,
    installed,
    urgency,
    verdict,
    why,
    purls: [],
    state: fixed === undefined ? 'unfixed' : 'fixable',
    ...(fixed !== undefined && { fixed }),
  });
  const why = 'curl 7.88.1-10+deb12u8 is installed; 7.88.1-10+deb12u12 has the fix';
  const found = [
    ...(vulnerable
      ? [
          vulnerability(
            'CVE-2026-1001',
            'curl',
            '7.88.1-10+deb12u8',
            'high',
            'fails',
            why,
            '7.88.1-10+deb12u12',
          ),
          vulnerability('CVE-2026-1002', HOSTILE[0] as string, '1.0', 'unknown', 'fails', 'no fix', '1.1'),
        ]
      : []),
    vulnerability(
      'CVE-2025-8058',
      'glibc',
      '2.36-9+deb12u10',
      'medium',
      'ignored',
      'regcomp is not reachable (until 2027-01-01)',
    ),
    vulnerability(
      'CVE-2024-2236',
      'libgcrypt20',
      '1.10.1-3',
      'low',
      'not-affected',
      'vulnerable_code_not_in_execute_path',
    ),
    ...Array.from({ length: 24 }, (_, i) =>
      vulnerability(
        `CVE-2026-${2000 + i}`,
        ['linux', 'systemd', 'util-linux', 'perl'][i % 4] as string,
        ['6.1.148-1', '252.38-1', '2.38.1-5', '5.36.0-7'][i % 4] as string,
        ['negligible', 'low', 'unknown', 'medium'][i % 3] as string,
        'passes',
        '',
      ),
    ),
  ];
  const database = { name: 'database tracker.json', passed: true, message: 'of 2026-11-21, 3012 entries' };
  const failed = found.filter((f) => f.verdict === 'fails');
  return {
    passed: !vulnerable,
    checks: [
      { name: 'packages of the image', passed: true, message: '312 found' },
      database,
      ...failed.map(({ id, name, why: message }) => ({ name: `${id} in ${name}`, passed: false, message })),
    ],
    data: {
      scanner: 'builtin',
      databases: [
        { location: 'tracker.json', kind: 'debian-tracker', date: '2026-11-21T06:00:00Z', size: 3012 },
      ],
      vulnerabilities: found,
    },
  };
}

const LICENCES = [
  'GPL-2.0-or-later',
  'MIT',
  'LGPL-2.1-or-later AND GPL-3.0-or-later',
  'BSD-3-Clause',
  undefined,
];

function writeBill(dir: string): BuildRecord['outputs'][number] {
  mkdirSync(dir, { recursive: true });
  const names = [...Array.from({ length: 300 }, (_, i) => `lib${WORDS[i % WORDS.length]}${i}`), ...HOSTILE];
  const components = ['nginx', ...names].map((name, i) => ({
    name,
    version: `${1 + (i % 9)}.${i % 13}-${1 + (i % 4)}+deb12u${i % 6}`,
    purl: `pkg:${i % 40 === 36 ? 'pypi' : 'deb/debian'}/${encodeURIComponent(name)}`,
    licenses: LICENCES[i % 5] === undefined ? [] : [{ expression: LICENCES[i % 5] }],
  }));
  const text = JSON.stringify({ bomFormat: 'CycloneDX', components });
  const fileName = 'web-1.2.0.cdx.json';
  const path = join(dir, fileName);
  writeFileSync(path, text);
  return { format: 'cyclonedx', fileName, digest: sha256(text), size: Buffer.byteLength(text), path };
}

const WORDS = ['ssl', 'curl', 'event', 'gcrypt', 'pam', 'systemd', 'xml', 'zstd', 'acl', 'nss', 'uring'];
