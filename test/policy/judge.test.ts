import { describe, expect, test } from 'vitest';
import {
  answersOfToday,
  type HardeningCheck,
  judgePolicy,
  type PolicyFacts,
} from '../../src/policy/judge.ts';
import type { PolicyOptions } from '../../src/policy/spec.ts';
import { compareDebianVersions } from '../../src/scan/versions/debian.ts';

const NOW = new Date('2026-06-15T12:00:00Z');
const DAY = 86_400_000;

const NOTHING: PolicyOptions = {
  require: [],
  seal: [],
  max_base_age: undefined,
  max_vulnerability_data_age: undefined,
  forbid_packages: [],
  allow_privileged: undefined,
  hardening: [],
  except: [],
};
const judge = (o: Partial<PolicyOptions>, facts: Partial<PolicyFacts>) =>
  judgePolicy({ ...NOTHING, ...o }, { proofs: [], ...facts }, NOW);
const failed = (o: Partial<PolicyOptions>, facts: Partial<PolicyFacts>) =>
  judge(o, facts)
    .checks.filter((c) => !c.passed)
    .map((c) => `${c.name}: ${c.message}`);

const deb = (name: string, version = '1') => ({
  type: 'deb',
  name,
  version,
  compare: compareDebianVersions,
});
const weak: HardeningCheck = {
  set: 'debian-level1',
  id: 'umask',
  title: 'new files are not for everybody',
  pci: ['7.2.2'],
  status: 'failed',
  message: 'found 022',
};

test('everything that does not hold is told at once, with what was found, what is allowed and what to do', () => {
  const found = failed(
    {
      require: ['boot', 'goss'],
      max_base_age: 30 * DAY,
      max_vulnerability_data_age: DAY,
      forbid_packages: ['telnet*'],
      allow_privileged: ['/usr/bin/sudo setuid'],
      hardening: ['debian-level1'],
    },
    {
      proofs: [{ name: 'boot' }, { name: 'goss', problem: 'the test checked nothing' }],
      baseDate: Date.parse('2026-05-01T00:00:00Z'),
      packages: [deb('bash'), deb('telnet', '0.17')],
      privileged: [
        { path: '/usr/bin/sudo', privileges: ['setuid'], uid: 0, gid: 0 },
        { path: '/usr/bin/odd', privileges: ['setuid'], uid: 0, gid: 0 },
      ],
      privilegeRules: ['/usr/bin/sudo setuid'],
      hardening: [weak],
    },
  );
  expect(found).toEqual([
    'proof:goss: "goss" is required: the test checked nothing. [policy/unproven]',
    'base-age: what the image starts from is of 2026-05-01, 46 days ago; at most 30 days are allowed. Run `ingot update`, and build again. [policy/old-base]',
    'vulnerability-data-age: nothing says how old the vulnerability data is; at most 24 hours are allowed. Fetch newer data: see `databases` of test "vulnerabilities". [policy/old-vulnerability-data]',
    'package:telnet: telnet 0.17 is installed; "telnet*" forbids it. Take it out of the packages, or purge it. [policy/forbidden-package]',
    'privileged:/usr/bin/odd: /usr/bin/odd (owner 0:0) has setuid; allow_privileged does not name it. Run `chmod u-s /usr/bin/odd` in a provisioner, or allow it. [policy/privileged-file]',
    'umask: new files are not for everybody (PCI DSS 7.2.2): found 022 [policy/weak]',
  ]);
});

test('what holds is a check for each rule, and nothing else is asked', () => {
  const { passed, checks } = judge(
    { require: ['boot'], seal: ['all'], max_base_age: 30 * DAY, forbid_packages: ['telnet'] },
    { proofs: [{ name: 'boot' }], baseDate: NOW.getTime() - 2 * DAY, packages: [deb('bash')] },
  );
  expect(passed).toBe(true);
  expect(checks).toEqual([
    { name: 'proofs', passed: true, message: 'boot' },
    { name: 'seal operations', passed: true, message: 'all' },
    { name: 'age of the base', passed: true, message: '2 days; at most 30 days' },
    { name: 'forbidden packages', passed: true, message: 'none of 1 installed' },
  ]);
  expect(judge({}, {})).toMatchObject({ passed: true, checks: [] });
});

test('a base that says nothing of its age, and packages that cannot be read, do not pass', () => {
  expect(failed({ max_base_age: DAY }, {})[0]).toContain('nothing says how old');
  expect(failed({ max_base_age: DAY }, { baseDate: NOW.getTime() + 2 * DAY })[0]).toContain('is to come');
  expect(failed({ max_base_age: DAY }, { baseDate: NOW.getTime() + DAY / 2 })).toEqual([]);
  expect(
    failed({ forbid_packages: ['x'] }, { packages: [], unreadPackages: ['/var/lib/dpkg/status: damaged'] }),
  ).toEqual([
    'packages: /var/lib/dpkg/status: damaged: what is installed cannot be told. Repair the package database. [policy/unread-packages]',
  ]);
});

describe('exceptions', () => {
  const o = (expires: string, id = 'umask') => ({
    hardening: ['debian-level1'],
    except: [{ id, reason: 'why', expires }],
  });

  test('one that holds lets its finding pass, and is told', () => {
    const { passed, checks } = judge(o('2026-06-15'), { hardening: [weak] });
    expect(passed).toBe(true);
    expect(checks).toEqual([
      { name: 'hardening debian-level1', passed: true, message: '0 checks passed, 1 excepted' },
      { name: 'except umask', passed: true, message: 'until 2026-06-15: why' },
    ]);
  });

  test('one that has ended fails, and so does what it let pass', () => {
    expect(failed(o('2026-06-14'), { hardening: [weak] })).toEqual([
      expect.stringContaining('umask: new files'),
      'except umask: the exception ended on 2026-06-14 (why); renew or remove it [policy/expired-exception]',
    ]);
    expect(failed(o('2026-06-14'), { hardening: [{ ...weak, status: 'passed' }] })).toHaveLength(1);
  });

  test('one that nothing needs is told, and fails nothing', () => {
    const { passed, checks } = judge(o('2027-01-01'), { hardening: [{ ...weak, status: 'passed' }] });
    expect(passed).toBe(true);
    expect(checks.at(-1)).toMatchObject({
      name: 'except umask',
      message: expect.stringContaining('not needed'),
    });
  });

  test('none lets a missing proof pass', () => {
    const except = [{ id: 'proof:boot', reason: 'why', expires: '2027-01-01' }];
    const facts = { proofs: [{ name: 'boot', problem: 'it failed' }] };
    expect(judge({ require: ['boot'], except }, facts).passed).toBe(false);
  });
});

test('a check that two sets hold fails once', () => {
  const facts = { hardening: [weak, { ...weak, set: 'pci-dss' }] };
  expect(failed({ hardening: ['debian-level1', 'pci-dss'] }, facts)).toHaveLength(1);
});

test('the answer of today changes on the day on which the verdict does, and on no other', () => {
  const o = {
    ...NOTHING,
    max_base_age: 30 * DAY,
    except: [{ id: 'umask', reason: 'w', expires: '2026-06-20' }],
  };
  const base = Date.parse('2026-06-01T00:00:00Z');
  const on = (day: string) => answersOfToday(o, base, new Date(`${day}T12:00:00Z`));
  expect(on('2026-06-10')).toEqual(on('2026-06-20'));
  expect(on('2026-06-21')).toEqual({ oldBase: false, ended: ['umask'] });
  expect(on('2026-07-02')).toEqual({ oldBase: true, ended: ['umask'] });
});
