import { expect, test } from 'vitest';
import type { Diagnostic } from '../../src/core/diagnostic.ts';
import { readSelection } from '../../src/plan/select.ts';

const web = { fullName: 'mmdebstrap.web' };
const named = { fullName: 'site.mmdebstrap.web' };
const legacy = { fullName: 'mmdebstrap.web [1]', legacyName: 'web [1]' };

test.each([
  [web, [], [], true],
  [web, ['mmdebstrap.web'], [], true],
  [web, ['mmdebstrap.*'], [], true],
  [web, ['*.db', 'mmdebstrap.{db,web}'], [], true],
  [web, ['*.db'], [], false],
  [web, [''], [], false],
  [web, [], ['mmdebstrap.web'], false],
  [web, [], ['*.[!w]*'], true],
  [web, ['web'], [], false],
  [named, ['site.*'], [], true],
  [named, ['*.web'], [], true],
  // As Packer has it: a build with a name is meant by its full name.
  [named, ['mmdebstrap.web'], [], false],
  [named, ['*'], ['site.mmdebstrap.web'], false],
  [legacy, ['web [1]'], [], true],
  [legacy, ['web*'], [], true],
  [legacy, [], ['web [1]'], false],
])('%j only %j except %j → %s', (build, only, except, expected) => {
  expect(readSelection(only, except, []).selects(build)).toBe(expected);
});

test('-except leaves out post-processors by name', () => {
  const selection = readSelection([], ['pack-*'], []);
  expect(selection.excludes('pack-it')).toBe(true);
  expect(selection.excludes('manifest')).toBe(false);
});

test('patterns that can not be read are told, all of them', () => {
  const diagnostics: Diagnostic[] = [];
  readSelection(['a[', 'b'], ['{c'], diagnostics);
  expect(diagnostics.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    'plan/wrong-pattern: -only has the pattern "a[", in which "[" is not closed by "]"',
    'plan/wrong-pattern: -except has the pattern "{c", in which "{" is not closed by "}"',
  ]);
});
