import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGlob, GlobError } from '../../src/plan/glob.ts';

const NAMES = ['null.web', 'null.db', 'null.a-b', 'site.null.web', 'null.*', 'null.{x}', 'null.é', ''];

// Packer 1.6.6 answers the same to `build -only=PATTERN` (but for those with a comma, which it splits).
test.each([
  ['null.web', ['null.web']],
  ['*.web', ['null.web', 'site.null.web']],
  ['null.w?b', ['null.web']],
  ['null.?', ['null.*', 'null.é']],
  ['null.[wd]*', ['null.web', 'null.db']],
  ['null.[!wd*{]*', ['null.a-b', 'null.é']],
  ['null.[a-d]*', ['null.db', 'null.a-b']],
  ['null.[!a-z]*', ['null.*', 'null.{x}', 'null.é']],
  ['null.[^w]*', ['null.web']],
  ['null.[a\\-]*', ['null.a-b']],
  ['null.[-a]*', ['null.a-b']],
  ['null.[\\]w]eb', ['null.web']],
  ['null.\\web', ['null.web']],
  ['null.web\\', ['null.web']],
  ['null.\\*', ['null.*']],
  ['null.\\{x}', ['null.{x}']],
  ['null.web}', []],
  ['null.**', ['null.web', 'null.db', 'null.a-b', 'null.*', 'null.{x}', 'null.é']],
  ['null.{web,db}', ['null.web', 'null.db']],
  ['null.{d*,w[!x]b}', ['null.web', 'null.db']],
  ['{null.{web,d?},site.**}', ['null.web', 'null.db', 'site.null.web']],
  ['null.{,web}', ['null.web']],
  ['null.{a\\,b,web}', ['null.web']],
  ['*', NAMES],
  ['', ['']],
])('%s', (pattern, expected) => {
  expect(NAMES.filter(compileGlob(pattern))).toEqual(expected);
});

test.each([
  ['null.[web', /not closed/],
  ['null.[', /not closed/],
  ['null.[]', /nothing to choose/],
  ['[!]', /nothing to choose/],
  ['null.[d-a]b', /backwards/],
  ['null.[a-dw]*', /not followed by "\]"/],
  ['null.[a-', /not followed by "\]"/],
  ['null.{web', /not closed/],
])('%s is no pattern', (pattern, message) => {
  const read = () => compileGlob(pattern);
  expect(read).toThrow(GlobError);
  expect(read).toThrow(message);
});

describe('any pattern', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });

  test('of stars and question marks agrees with a regular expression', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        const source = p.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(compileGlob(p)(t)).toBe(new RegExp(`^${source}$`, 's').test(t));
      }),
      { numRuns: 1000 },
    );
  });

  test('is read, or refused with a reason', () => {
    const pattern = fc.string({ unit: fc.constantFrom(...Array.from('ab*?[]{},!-\\(|.^$')), maxLength: 20 });
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        try {
          expect(typeof compileGlob(p)(t)).toBe('boolean');
        } catch (error) {
          expect(error).toBeInstanceOf(GlobError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('ends', () => {
    expect(compileGlob(`${'a*'.repeat(30)}b`)('a'.repeat(5000))).toBe(false);
    expect(compileGlob(`${'{a,aa,'.repeat(15)}a${'}'.repeat(15)}*b`)('a'.repeat(1000))).toBe(false);
  });
});
