import { expect, test } from 'vitest';
import { type EndedTest, proofFact, vulnerabilityDate } from '../../src/policy/proofs.ts';

const ended = (type: string, passed: boolean, checks: boolean[], data: unknown = null): EndedTest => ({
  type,
  outcome: { passed, checks: checks.map((p) => ({ passed: p })), data: data as never },
});
const problem = (name: string, ...tests: EndedTest[]) =>
  proofFact(name, tests, ['spdx', 'cyclonedx']).problem;

test.each([
  ['goss', [ended('goss', true, [true])], undefined],
  ['goss', [ended('goss', false, [true, false])], '1 of its checks failed: see there'],
  ['goss', [ended('goss', true, [])], 'the test checked nothing'],
  ['goss', [{ type: 'goss' }], 'the test did not come to an end'],
  ['goss', [ended('boot', true, [true])], 'the image file has no such test'],
  ['goss', [ended('goss', true, [true]), ended('goss', false, [false])], '1 of its checks failed: see there'],
  ['sbom', [], undefined],
  ['spdx', [], undefined],
  ['clones', [ended('boot', true, [true], { clones: { compared: ['/etc/machine-id'] } })], undefined],
  [
    'clones',
    [ended('boot', true, [true], {})],
    'no two boots of the image were compared; set clones = true in test "boot"',
  ],
] as const)('%s of %j: %s', (name, tests, expected) => {
  expect(problem(name, ...tests)).toBe(expected);
});

test.each([
  [undefined, 'the image was not built twice; build it with `ingot build --verify-reproducible`'],
  [['qcow2', 'oci'], 'two builds differ in qcow2, oci'],
  [[], undefined],
] as const)('reproducible where two builds differ in %j: %s', (differing, expected) => {
  expect(proofFact('reproducible', [], [], differing).problem).toBe(expected);
});

test('the oldest of the databases counts', () => {
  const data = { databases: [{ date: '2026-06-02T00:00:00Z' }, { date: '2026-06-01T00:00:00Z' }] };
  expect(vulnerabilityDate([ended('vulnerabilities', true, [true], data)])).toBe(Date.parse('2026-06-01'));
  expect(vulnerabilityDate([ended('goss', true, [true])])).toBeUndefined();
});
