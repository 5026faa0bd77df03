import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { globMatches, isSelected } from '../../src/plan/select.ts';

describe('isSelected', () => {
  const web = { type: 'mmdebstrap', name: 'web' };
  const named = { ...web, buildName: 'site' };
  test.each([
    [web, [], [], true],
    [web, ['mmdebstrap.web'], [], true],
    [web, ['mmdebstrap.*'], [], true],
    [web, ['*.db'], [], false],
    [web, [], ['mmdebstrap.web'], false],
    [named, ['site.*'], [], true],
    [named, ['mmdebstrap.web'], [], true],
    [web, ['site.*'], [], false],
    [named, ['*'], ['site.mmdebstrap.web'], false],
  ])('%j only %j except %j → %s', (build, only, except, expected) => {
    expect(isSelected(build, only, except)).toBe(expected);
  });
});

describe('globMatches', () => {
  test('agrees with a regular expression on any input', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        const source = p.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(globMatches(p, t)).toBe(new RegExp(`^${source}$`, 's').test(t));
      }),
      { numRuns: 2000 },
    );
  });

  test('does not backtrack for ever', () => {
    expect(globMatches(`${'a*'.repeat(30)}b`, 'a'.repeat(5000))).toBe(false);
  });
});
