import { describe, expect, test } from 'vitest';
import { cvssScore, urgencyOfScore } from '../../../src/scan/vulnerabilities/cvss.ts';
import { ecosystemOf, knownAs } from '../../../src/scan/vulnerabilities/ecosystems.ts';
import { judgeOsvEntry } from '../../../src/scan/vulnerabilities/osv.ts';

type Events = readonly Readonly<Record<string, string>>[];

function judge(ecosystem: string, installed: string, events: Events, more: object = {}, record: object = {}) {
  const affected = { ranges: [{ type: 'ECOSYSTEM', events }], ...more };
  return judgeOsvEntry({ record: { id: 'OSV-1', ...record }, affected, ecosystem }, installed);
}

describe('ranges of versions', () => {
  const two: Events = [
    { introduced: '1.0.0' },
    { fixed: '1.2.0' },
    { introduced: '2.0.0' },
    { fixed: '2.1.0' },
  ];
  test.each([
    ['0.9.0', undefined],
    ['1.0.0', '1.2.0'],
    ['1.10.0', undefined],
    ['1.2.0', undefined],
    ['2.0.0-rc.1', undefined],
    ['2.0.5', '2.1.0'],
    ['2.1.0', undefined],
  ])('npm %s: fixed in %s', (version, fixed) => {
    expect(judge('npm', version, two)?.fixed).toBe(fixed);
    expect(judge('npm', version, two.toReversed())?.fixed).toBe(fixed);
  });

  test.each([
    ['without an end', [{ introduced: '0' }], 'unfixed'],
    ['to the last affected, itself', [{ introduced: '0' }, { last_affected: '1.0.0' }], 'unfixed'],
    ['to the last affected, behind it', [{ introduced: '0' }, { last_affected: '0.9.0' }], undefined],
    ['of what is no version', [{ introduced: '0' }, { fixed: 'soon' }], 'undetermined'],
  ] as const)('%s', (_, events, state) => {
    expect(judge('npm', '1.0.0', events)?.state).toBe(state);
  });

  test('of commits say nothing of a version', () => {
    const affected = { ranges: [{ type: 'GIT', events: [{ introduced: '0' }] }] };
    expect(judgeOsvEntry({ record: { id: 'x' }, affected, ecosystem: 'npm' }, '1.0.0')).toBeUndefined();
  });

  test('without an order of versions a list decides, and without either nobody knows', () => {
    const events: Events = [{ introduced: '0' }, { fixed: '2' }];
    expect(judge('Maven', '1.0', events, { versions: ['1.0'] })).toMatchObject({
      state: 'fixable',
      fixed: '2',
    });
    expect(judge('Maven', '1.0', events, { versions: ['0.9'] })).toBeUndefined();
    expect(judge('Maven', '1.0', events)?.state).toBe('undetermined');
  });

  test('a commit fixes no version', () => {
    const ranges = [{ type: 'GIT', events: [{ introduced: '0' }, { fixed: 'c0ffee' }] }];
    expect(judge('PyPI', '1.0', [], { versions: ['1.0'], ranges })?.state).toBe('unfixed');
  });

  test('each distribution by its own order', () => {
    expect(judge('Debian:12', '1.0~rc1-1', [{ introduced: '0' }, { fixed: '1.0-1' }])?.state).toBe('fixable');
    expect(judge('Alpine:v3.19', '1.0_rc1-r0', [{ introduced: '0' }, { fixed: '1.0-r0' }])?.state).toBe(
      'fixable',
    );
    expect(judge('PyPI', '1.0rc1', [{ introduced: '0' }, { fixed: '1.0' }])?.state).toBe('fixable');
    expect(judge('Rocky Linux:9', '1:0.9-1', [{ introduced: '0' }, { fixed: '1.0-1' }])).toBeUndefined();
  });
});

describe('names and urgency', () => {
  test.each([
    [{ id: 'DEBIAN-CVE-2024-1' }, 'CVE-2024-1'],
    [{ id: 'GHSA-x', aliases: ['CVE-2024-2'] }, 'CVE-2024-2'],
    [{ id: 'DSA-1-1', upstream: ['CVE-2024-3', 'CVE-2024-4'] }, 'DSA-1-1'],
  ])('%j is %s', (record, id) => {
    expect(judge('npm', '1.0.0', [{ introduced: '0' }], {}, record)?.id).toBe(id);
  });

  test.each([
    [{ database_specific: { severity: 'MODERATE' } }, 'medium'],
    [{ severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }] }, 'critical'],
    [{ severity: [{ type: 'CVSS_V4', score: 'CVSS:4.0/AV:N' }] }, 'unknown'],
    [{}, 'unknown'],
  ])('%j is %s', (record, urgency) => {
    expect(judge('npm', '1.0.0', [{ introduced: '0' }], {}, record)?.urgency).toBe(urgency);
  });

  test.each([
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1],
    ['CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N', 5.5],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10],
    ['CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N', 0],
    ['CVSS:3.1/AV:N', undefined],
    ['CVSS:4.0/AV:N', undefined],
  ])('%s scores %s', (vector, score) => {
    expect(cvssScore(vector)).toBe(score);
  });

  test('words for scores', () => {
    expect([0, 0.1, 3.9, 4, 6.9, 7, 8.9, 9].map(urgencyOfScore)).toEqual([
      'negligible',
      'low',
      'low',
      'medium',
      'medium',
      'high',
      'high',
      'critical',
    ]);
  });
});

test('homes of packages, and the names by which they are known there', () => {
  const found = { name: 'n', version: 'v1.2', path: '/', hashes: [], purl: '' };
  const deb = { ...found, type: 'deb', source: { name: 's', version: '1' } } as const;
  const go = { ...found, type: 'golang' } as const;
  expect(ecosystemOf(deb, { id: 'debian', versionId: '12' })).toBe('Debian:12');
  expect(ecosystemOf(deb, { id: 'ubuntu', versionId: '22.04' })).toBe('Ubuntu:22.04:LTS');
  expect(ecosystemOf(deb, { id: 'ubuntu', versionId: '23.10' })).toBe('Ubuntu:23.10');
  expect(ecosystemOf({ ...found, type: 'apk' }, { id: 'alpine', versionId: '3.19.1' })).toBe('Alpine:v3.19');
  expect(ecosystemOf({ ...found, type: 'rpm' }, { id: 'fedora', versionId: '40' })).toBeUndefined();
  expect(ecosystemOf(go, {})).toBe('Go');
  expect(knownAs(deb)).toEqual({ name: 's', version: '1' });
  const kernel = { ...deb, version: '5.15.0-26.26', source: { name: 'linux-signed-aws', version: '5' } };
  expect(knownAs(kernel)).toEqual({ name: 'linux-aws', version: '5.15.0-26.26' });
  expect(knownAs(go)).toEqual({ name: 'n', version: '1.2' });
  expect(knownAs({ ...found, type: 'npm', namespace: '@a' }).name).toBe('@a/n');
  expect(knownAs({ ...found, type: 'maven', namespace: 'g' }).name).toBe('g:n');
});
