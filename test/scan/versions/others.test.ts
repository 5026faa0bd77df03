import { expect, test } from 'vitest';
import { compareAlpineVersions } from '../../../src/scan/versions/alpine.ts';
import { comparePythonVersions } from '../../../src/scan/versions/python.ts';
import { compareRpmVersions } from '../../../src/scan/versions/rpm.ts';
import { compareSemanticVersions } from '../../../src/scan/versions/semantic.ts';

/** Each list in rising order: every earlier one comes before every later one. */
const rising = {
  semantic: [
    compareSemanticVersions,
    [
      '0',
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      'v1.0.0',
      '1.2.9',
      '1.10.0',
    ],
  ],
  python: [
    comparePythonVersions,
    [
      '1.0.dev0',
      '1.0a1.dev2',
      '1.0a1',
      '1.0b2',
      '1.0rc1',
      '1.0',
      '1.0.post1.dev0',
      '1.0.post1',
      '1.0.1',
      '1.10',
      '1!0.1',
    ],
  ],
  rpm: [
    compareRpmVersions,
    ['1.0~rc1-1', '1.0-1', '1.0^git1-1', '1.0.a-1', '1.0.1-1.el9', '1.0.1-1.el10', '1.0.10-1', '1:0.1-1'],
  ],
  alpine: [
    compareAlpineVersions,
    [
      '1.0_alpha',
      '1.0_alpha2',
      '1.0_beta',
      '1.0_pre1',
      '1.0_rc1',
      '1.0',
      '1.0-r1',
      '1.0-r10',
      '1.0_git20240101',
      '1.0_p1',
      '1.0a',
      '1.0.1',
      '1.10',
    ],
  ],
} as const;

test.each(Object.entries(rising))('%s versions', (_, [compare, list]) => {
  for (const [i, a] of list.entries()) {
    for (const [j, b] of list.entries())
      expect([a, b, Math.sign(compare(a, b) as number)]).toEqual([a, b, Math.sign(i - j)]);
  }
});

test('what is no version of a kind is not compared', () => {
  expect(compareSemanticVersions('1.0', 'latest')).toBeUndefined();
  expect(compareSemanticVersions('1.0.0+a', '1.0.0+b')).toBe(0);
  expect(comparePythonVersions('1.0', 'unknown')).toBeUndefined();
  expect(compareAlpineVersions('1.0', 'x')).toBeUndefined();
});
